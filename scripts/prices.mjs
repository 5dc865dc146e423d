// How our price table and one in the form of models.dev differ. Pure: refresh-prices.mjs reads both and prints it.

/** Our providers, and what models.dev calls them. */
const PROVIDERS = { anthropic: 'anthropic', gemini: 'google', openai: 'openai' };

/** What is compared of a band; their name beside ours. */
const PRICES = { input: 'input', output: 'output', cacheRead: 'cache_read', cacheWrite5m: 'cache_write' };

/** Their prices as our bands: the first up to the first tier's size, and so on; the last without an end. */
function bandsOf(cost) {
  const { tiers, context_over_200k: over, ...base } = cost;
  const tier = { type: 'context', size: 200_000 };
  const above = (tiers ?? (over === undefined ? [] : [{ ...over, tier }]))
    .filter((one) => one.tier.type === 'context')
    .sort((a, b) => a.tier.size - b.tier.size);
  return [base, ...above].map((prices, i) => ({ upTo: above[i]?.tier.size ?? null, prices }));
}

/** What differs in one model's prices: a band they have and we don't, or a price. */
function priceDifferences(bands, cost) {
  const theirs = bandsOf(cost);
  const ends = (list) => list.map(({ upTo }) => upTo ?? 'any').join(', ');
  if (ends(bands) !== ends(theirs)) return [{ what: 'prompt sizes', ours: ends(bands), theirs: ends(theirs) }];
  return bands.flatMap((band, i) =>
    Object.entries(PRICES).flatMap(([ours, name]) => {
      const price = theirs[i].prices[name];
      // A price they don't tell is no difference; neither is arithmetic's last digit.
      if (price === undefined || Math.abs(price - band[ours]) < 1e-9) return [];
      const size = bands.length === 1 ? '' : band.upTo === null ? ', longest prompts' : `, up to ${band.upTo}`;
      return [{ what: `${ours}${size}`, ours: band[ours], theirs: price }];
    }),
  );
}

function factDifferences(info, { limit, knowledge }) {
  const facts = [
    ['contextTokens', info.contextTokens, limit?.context],
    ['maxOutputTokens', info.maxOutputTokens, limit?.output],
    ['knowledgeCutoff', info.knowledgeCutoff, knowledge],
  ];
  return facts.flatMap(([what, ours, theirs]) =>
    theirs === undefined || theirs === ours ? [] : [{ what, ours, theirs }],
  );
}

/**
 * Differences between our models (`{model: 'provider/model', names, info}`) and a table in models.dev's form
 * (`{provider: {models: {id: {cost, limit, knowledge}}}}`): `changed`, `onlyOurs` and `onlyTheirs`.
 */
export function comparePrices(known, published) {
  const changed = [];
  const onlyOurs = [];
  const seen = new Set();
  for (const { model, names, info } of known) {
    const provider = model.slice(0, model.indexOf('/'));
    const listed = published[PROVIDERS[provider]]?.models ?? {};
    const name = names.find((one) => Object.hasOwn(listed, one));
    for (const one of names) seen.add(`${provider}/${one}`);
    if (name === undefined) onlyOurs.push(model);
    else {
      const theirs = listed[name];
      const prices =
        theirs.cost === undefined || info.prices === null ? [] : priceDifferences(info.prices, theirs.cost);
      const differences = [...prices, ...factDifferences(info, theirs)];
      if (differences.length > 0) changed.push({ model, differences });
    }
  }
  const onlyTheirs = Object.entries(PROVIDERS).flatMap(([ours, theirs]) =>
    Object.entries(published[theirs]?.models ?? {})
      .filter(([id, { cost }]) => cost !== undefined && !seen.has(`${ours}/${id}`))
      .map(([id]) => `${ours}/${id}`),
  );
  return { changed, onlyOurs, onlyTheirs };
}

/** The differences in words. */
export function differencesText({ changed, onlyOurs, onlyTheirs }) {
  const value = (one) => (one === null ? 'unknown' : String(one));
  return [
    ...changed.flatMap(({ model, differences }) =>
      differences.map(({ what, ours, theirs }) => `${model}  ${what}: ours ${value(ours)}, theirs ${value(theirs)}`),
    ),
    ...(onlyOurs.length === 0 ? [] : [`Only ours: ${onlyOurs.join(', ')}`]),
    ...(onlyTheirs.length === 0 ? [] : [`Only theirs: ${onlyTheirs.join(', ')}`]),
  ];
}
