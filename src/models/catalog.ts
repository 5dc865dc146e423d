import { ANTHROPIC_CATALOG } from './catalog/anthropic.js';
import { GEMINI_CATALOG } from './catalog/gemini.js';
import { OPENAI_CATALOG } from './catalog/openai.js';
import type { CatalogRow, PriceStep, ProviderCatalog } from './catalog/row.js';
import type { ModelInfo, ModelRef, PriceBand, ProviderKind, SamplingRule } from './types.js';

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

/**
 * What is known of a model, with the prices in force at `at`. Ids are matched exactly. A model we don't know has no
 * price and gets only parameters every model takes; local and compatible servers take a temperature.
 * `kind` tells the wire of a named endpoint, so that a Claude model behind a proxy keeps Claude's parameter rules; its
 * price stays unknown, since the proxy sets it.
 */
export function modelInfo(ref: ModelRef, at: Date, kind?: ProviderKind): ModelInfo {
  const rules = rulesOf(ref, kind);
  const found = ROWS.get(`${rules}/${ref.model}`);
  const own = OWN_MACHINE.has(ref.provider);
  if (found === undefined) {
    const hosted = CATALOGS.has(rules);
    return {
      ref,
      contextTokens: null,
      maxOutputTokens: null,
      minCacheTokens: null,
      sampling: hosted ? { kind: 'none' } : OPEN_MODEL_SAMPLING,
      effort: null,
      structuredOutput: hosted ? null : true,
      prices: own ? [FREE] : null,
      source: own ? 'runs on your own machine' : null,
    };
  }
  const { row, source } = found;
  const sellsIt = rules === ref.provider;
  return {
    ref,
    contextTokens: row.contextTokens,
    maxOutputTokens: row.maxOutputTokens,
    minCacheTokens: row.minCacheTokens,
    sampling: row.sampling,
    effort: row.effort,
    structuredOutput: row.structuredOutput,
    prices: sellsIt ? pricesAt(row.prices, at) : null,
    source: sellsIt ? source : null,
  };
}

/** Every model of our tables as `provider/model`, without aliases. */
export function knownModels(): readonly string[] {
  return [...CATALOGS].flatMap(([provider, catalog]) => catalog.rows.map((row) => `${provider}/${row.id}`));
}
