import { knownModels, namesOf } from '../models/catalog.js';
import { formatModelRef, parseModelRef } from '../models/modelRef.js';
import type { ModelInfo, ModelRef } from '../models/types.js';
import type { LocalModel, ProviderSet } from '../providers/types.js';
import { TemperedError } from '../task/errors.js';
import { didYouMean } from '../task/nearest.js';
import { endpointsOf } from './endpoints.js';
import { loadNodeConfig } from './nodeConfig.js';

/** Time for an endpoint's list; milliseconds. */
const LIST_MS = 10_000;

/** What is asked about models. */
export interface ModelsOptions {
  /** Environment for keys and addresses. */
  readonly env: NodeJS.ProcessEnv;
  /** Only this endpoint. Default: all. */
  readonly provider?: string | undefined;
  /** Ask endpoints that have a key, or need none, what they list. */
  readonly ask: boolean;
}

/** A model: what is known of it, and what its endpoint says. */
export interface ModelRow {
  /** `provider/model`. */
  readonly model: string;
  /** What our tables and `tempered.config` say, with the prices of today. */
  readonly info: ModelInfo;
  /** Whether the endpoint lists it; null = it was not asked, or did not answer. */
  readonly listed: boolean | null;
  /** Whether it is in the memory of the endpoint's machine; null = not told. */
  readonly loaded: boolean | null;
}

/** Models, and endpoints that could not be asked. */
export interface ModelTable {
  /** By endpoint and name. */
  readonly rows: readonly ModelRow[];
  /** Endpoints that were asked and did not answer, with what went wrong. */
  readonly silent: readonly { readonly provider: string; readonly message: string }[];
}

/** What one endpoint said. */
interface Listing {
  readonly provider: string;
  readonly ids: readonly string[] | null;
  readonly local: readonly LocalModel[];
  readonly error?: TemperedError;
}

/**
 * Every model our tables, the config file and the endpoints know. Throws `TemperedError` for a faulty config file, an
 * unknown endpoint, and one that was named, does not answer, and of whose models nothing else is known.
 */
export async function readModels({ env, provider, ask }: ModelsOptions): Promise<ModelTable> {
  const config = await loadNodeConfig();
  const providers = endpointsOf(config, env);
  // An unknown name is refused in the set's own words.
  if (provider !== undefined && !providers.names.includes(provider)) providers.get(provider);
  const names = provider === undefined ? providers.available : [provider];
  const listings = ask ? await Promise.all(names.map((name) => listingOf(providers, name))) : [];
  const known = [...new Set([...knownModels(), ...Object.keys(config.models)])].map(parseModelRef);
  const wanted = known.filter((ref) => provider === undefined || ref.provider === provider);
  const rows = [...wanted, ...newOnes(wanted, listings)].map((ref) => rowOf(ref, providers, listings));
  const [one] = listings;
  if (provider !== undefined && rows.length === 0 && one?.error !== undefined) throw one.error;
  return {
    rows: rows.sort((a, b) => a.model.localeCompare(b.model)),
    silent: listings.flatMap(({ provider: name, error }) =>
      error === undefined ? [] : [{ provider: name, message: error.message }],
    ),
  };
}

/** One model. Throws `model_not_found` for one that nobody knows, and what {@link readModels} throws. */
export async function readModel(model: string, options: Omit<ModelsOptions, 'provider'>): Promise<ModelRow> {
  const ref = parseModelRef(model);
  const { rows } = await readModels({ ...options, provider: ref.provider });
  const found = rows.find((row) => namesOf(parseModelRef(row.model)).includes(ref.model));
  if (found !== undefined) return { ...found, model, info: { ...found.info, ref } };
  const near = didYouMean(
    model,
    rows.map((row) => row.model),
  );
  throw new TemperedError('model_not_found', `Nothing is known of ${model}.${near}`, {
    remedy: `See what there is: tempered models list ${ref.provider}`,
  });
}

async function listingOf(providers: ProviderSet, name: string): Promise<Listing> {
  const signal = AbortSignal.timeout(LIST_MS);
  const silent = { provider: name, ids: null, local: [] };
  try {
    const provider = providers.get(name);
    const local = await provider.localModels(signal);
    const ids = local === null ? await provider.listModels(signal) : local.map(({ id }) => id);
    return { provider: name, ids, local: local ?? [] };
  } catch (error) {
    if (!(error instanceof TemperedError)) throw error;
    const late = new TemperedError('timeout', `${name} did not answer within ${LIST_MS / 1000} s.`);
    return { ...silent, error: signal.aborted ? late : error };
  }
}

/** What endpoints list beyond the models that are known, by any of their documented names. */
function newOnes(known: readonly ModelRef[], listings: readonly Listing[]): readonly ModelRef[] {
  const names = new Set(known.flatMap((ref) => namesOf(ref).map((model) => formatModelRef({ ...ref, model }))));
  return listings
    .flatMap(({ provider, ids }) => (ids ?? []).map((model) => ({ provider, model })))
    .filter((ref) => !names.has(formatModelRef(ref)));
}

function rowOf(ref: ModelRef, providers: ProviderSet, listings: readonly Listing[]): ModelRow {
  const listing = listings.find(({ provider }) => provider === ref.provider);
  const local = listing?.local.find(({ id }) => id === ref.model);
  const info = providers.modelInfo(ref, new Date());
  const ids = listing?.ids ?? null;
  return {
    model: formatModelRef(ref),
    info: { ...info, contextTokens: local?.contextTokens ?? info.contextTokens },
    listed: ids === null ? null : namesOf(ref).some((name) => ids.includes(name)),
    loaded: local?.loaded ?? null,
  };
}
