import { ANTHROPIC_CATALOG } from './catalog/anthropic.js';
import { GEMINI_CATALOG } from './catalog/gemini.js';
import { OPENAI_CATALOG } from './catalog/openai.js';
import type { BatchShare, CatalogRow, PriceStep, ProviderCatalog } from './catalog/row.js';
import { NO_TEMPERATURE } from './catalog/row.js';
import type { ModelInfo, ModelRef, PriceBand, ProviderKind, SamplingRule } from './types.js';
import { type UserModels, userBands, withUserFacts } from './userModels.js';

const CATALOGS: ReadonlyMap<string, ProviderCatalog> = new Map([
  ['anthropic', ANTHROPIC_CATALOG],
  ['gemini', GEMINI_CATALOG],
  ['openai', OPENAI_CATALOG],
]);

/** Servers on the user's own machine: their tokens cost nothing. */
const OWN_MACHINE: ReadonlySet<string> = new Set(['lmstudio', 'ollama']);

const FREE: PriceBand = { upTo: null, input: 0, output: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 };

/** What servers of open models take. */
const OPEN_MODEL_SAMPLING: SamplingRule = { kind: 'temperature', min: 0, max: 2 };

const ROWS: ReadonlyMap<string, { readonly row: CatalogRow; readonly source: string }> = new Map(
  [...CATALOGS].flatMap(([provider, catalog]) =>
    catalog.rows.flatMap((row) =>
      [row.id, ...(row.aliases ?? [])].map((id) => [`${provider}/${id}`, { row, source: catalog.source }] as const),
    ),
  ),
);

function pricesAt(steps: readonly PriceStep[], at: Date): readonly PriceBand[] | null {
  const day = at.toISOString().slice(0, 10);
  return steps.findLast((step) => step.from <= day)?.bands ?? null;
}

/** The catalogue whose parameter rules hold for an endpoint. */
function rulesOf(ref: ModelRef, kind: ProviderKind | undefined): string {
  switch (kind) {
    case 'anthropic':
    case 'gemini':
      return kind;
    case 'openai-compatible':
    case undefined:
      return ref.provider;
  }
}

/** What is known of a model but for its prices, which depend on who sells it and when. */
function factsOf(ref: ModelRef, rules: string, row: CatalogRow | undefined): ModelInfo {
  const hosted = CATALOGS.has(rules);
  return {
    ref,
    contextTokens: row?.contextTokens ?? null,
    maxOutputTokens: row?.maxOutputTokens ?? null,
    minCacheTokens: row?.minCacheTokens ?? null,
    sampling: row?.sampling ?? (hosted ? NO_TEMPERATURE : OPEN_MODEL_SAMPLING),
    effort: row?.effort ?? null,
    structuredOutput: row?.structuredOutput ?? (hosted ? null : true),
    capabilities: row?.capabilities ?? null,
    knowledgeCutoff: row?.knowledgeCutoff ?? null,
    prices: null,
    batchPrices: null,
    source: null,
  };
}

function atShare(bands: readonly PriceBand[] | null, share: BatchShare | null): readonly PriceBand[] | null {
  if (bands === null || share === null) return null;
  return bands.map(({ upTo, ...band }) => ({
    upTo,
    input: band.input * share.tokens,
    output: band.output * share.tokens,
    cacheRead: band.cacheRead * share.cacheRead,
    cacheWrite5m: band.cacheWrite5m * share.tokens,
    cacheWrite1h: band.cacheWrite1h * share.tokens,
  }));
}

/** Facts with the prices of whoever sells the model at `at`. */
function listed(
  ref: ModelRef,
  at: Date,
  rules: string,
): { readonly info: ModelInfo; readonly batch: BatchShare | null } {
  const found = ROWS.get(`${rules}/${ref.model}`);
  const facts = factsOf(ref, rules, found?.row);
  if (found !== undefined && rules === ref.provider) {
    const { row, source } = found;
    return { info: { ...facts, prices: pricesAt(row.prices, at), source }, batch: row.batch };
  }
  if (found !== undefined || !OWN_MACHINE.has(ref.provider)) return { info: facts, batch: null };
  return { info: { ...facts, prices: [FREE], source: 'runs on your own machine' }, batch: null };
}

/**
 * What is known of a model, with the prices in force at `at`. Ids are matched exactly. A model we don't know has no
 * price and gets only parameters every model takes; local and compatible servers take a temperature.
 * `kind` tells the wire of a named endpoint, so that a Claude model behind a proxy keeps Claude's parameter rules; its
 * price stays unknown, since the proxy sets it. `own` holds the models of the user's config file, which win.
 */
export function modelInfo(ref: ModelRef, at: Date, kind?: ProviderKind, own: UserModels = {}): ModelInfo {
  const { info, batch } = listed(ref, at, rulesOf(ref, kind));
  const user = own[`${ref.provider}/${ref.model}`];
  if (user === undefined) return { ...info, batchPrices: atShare(info.prices, batch) };
  const prices = userBands(user, at.toISOString().slice(0, 10)) ?? info.prices;
  const share = user.batch === undefined ? batch : { tokens: user.batch, cacheRead: user.batch };
  return { ...withUserFacts(info, user), prices, batchPrices: atShare(prices, share) };
}

/** Every name the provider documents for a model, itself included: lists name only one of them. */
export function namesOf(ref: ModelRef): readonly string[] {
  const row = ROWS.get(`${ref.provider}/${ref.model}`)?.row;
  return row === undefined ? [ref.model] : [row.id, ...(row.aliases ?? [])];
}

/** Every model of our tables as `provider/model`, without aliases. */
export function knownModels(): readonly string[] {
  return [...CATALOGS].flatMap(([provider, catalog]) => catalog.rows.map((row) => `${provider}/${row.id}`));
}
