import { knownModels } from '../models/catalog.js';
import { didYouMean } from '../task/nearest.js';
import { formatModelRef, parseModelRef } from '../models/modelRef.js';
import type { ModelRef } from '../models/types.js';
import type { Concurrency } from '../limits/types.js';
import type { ProviderSet } from '../providers/types.js';
import { TemperedError } from '../task/errors.js';
import { isMaxFailures, MAX_FAILURES_FORM } from '../task/maxFailures.js';
import { MAX_ITEM_TIMEOUT_MS, type TaskSpec } from '../task/spec.js';
import { isLoopback } from './address.js';
import type { Target } from './connect.js';

/** Longest wait for an endpoint's list of models; milliseconds. */
const LIST_TIMEOUT_MS = 10_000;

/** Concurrency a batch may have. */
const MAX_CONCURRENCY = 10_000;

/** Every model a task may ask, without repeats. */
function modelsOf(spec: TaskSpec): readonly ModelRef[] {
  const { model, fallbackModel = model, stages } = spec;
  const names = [model, fallbackModel, ...stages.flatMap((stage) => stage.model ?? [])];
  return [...new Set(names)].map(parseModelRef);
}

/**
 * Refuses a task that can't run here before anything is loaded: an unknown provider or model (with near names), a
 * missing key (naming its variable). A task that brings its own `execute` needs no endpoint.
 */
export async function checkModels(spec: TaskSpec, providers: ProviderSet): Promise<void> {
  if (spec.functions.includes('execute')) return;
  for (const ref of modelsOf(spec)) await checkModel(ref, providers);
}

/** Refuses a model whose endpoint is not known, has no key, or does not have it. Local endpoints are not asked. */
export async function checkModel(ref: ModelRef, providers: ProviderSet): Promise<void> {
  const provider = providers.get(ref.provider);
  const hosted = knownModels().filter((name) => name.startsWith(`${ref.provider}/`));
  if (hosted.length === 0 || providers.modelInfo(ref, new Date()).source !== null) return;
  const listed = await modelList(() => provider.listModels(AbortSignal.timeout(LIST_TIMEOUT_MS)));
  if (listed?.includes(ref.model) === true) return;
  const name = formatModelRef(ref);
  const candidates = [...new Set([...hosted, ...(listed ?? []).map((model) => `${ref.provider}/${model}`)])];
  const meant = didYouMean(name, candidates);
  // An endpoint that lists nothing may have models nobody knows; a name so near to a known one is a slip.
  if (listed === null && meant === '') return;
  throw new TemperedError('input', `${ref.provider} has no model "${ref.model}".${meant}`, {
    remedy: `Known ones: ${hosted.slice(0, 6).join(', ')}, …`,
  });
}

/** What the endpoint lists; null when it can't or won't now. A refused key is an error already here. */
async function modelList(list: () => Promise<readonly string[]>): Promise<readonly string[] | null> {
  try {
    return await list();
  } catch (error) {
    if (error instanceof TemperedError && error.category !== 'authentication') return null;
    throw error;
  }
}

/** Refuses a budget that can't be kept, because a model the task may ask has no known price. */
export function checkBudget(spec: TaskSpec, budgetUsd: number | undefined, providers: ProviderSet): void {
  if (budgetUsd === undefined) return;
  if (!Number.isFinite(budgetUsd) || budgetUsd < 0) {
    throw new TemperedError('input', `A budget is a number of dollars, 0 or more; not ${budgetUsd}.`);
  }
  for (const ref of modelsOf(spec)) {
    if (providers.modelInfo(ref, new Date()).prices !== null) continue;
    throw new TemperedError('input', `The price of ${formatModelRef(ref)} is not known, so no budget can be kept.`, {
      remedy: 'Leave --budget out, limit the run with --limit, or give the price in tempered.config under "models".',
    });
  }
}

/** Refuses a concurrency outside 1..10,000 that is not `auto`. */
export function checkConcurrency(value: Concurrency | undefined): void {
  if (value === undefined || value === 'auto' || (Number.isInteger(value) && value >= 1 && value <= MAX_CONCURRENCY))
    return;
  throw new TemperedError(
    'input',
    `Concurrency is a whole number from 1 to ${MAX_CONCURRENCY}, or auto; not ${value}.`,
  );
}

/** Throws `input` for a weight no fairness key can have. */
export function checkWeight(value: number | undefined): void {
  if (value === undefined || (value >= 0.001 && value <= 1_000)) return;
  throw new TemperedError('input', `A weight is a number from 0.001 to 1000; not ${value}.`);
}

/** A deadline as ISO text. Throws `input` for one that is no time or has passed. */
export function checkDeadline(value: string | Date | undefined): string | undefined {
  if (value === undefined) return undefined;
  const time = new Date(value);
  if (Number.isNaN(time.getTime())) throw new TemperedError('input', `"${String(value)}" is not a time.`);
  if (time.getTime() > Date.now()) return time.toISOString();
  throw new TemperedError('input', `The deadline ${time.toISOString()} has passed.`);
}

/** Throws `input` for a time no record can be given. */
export function checkItemTimeout(value: number | undefined): void {
  if (value === undefined || (Number.isInteger(value) && value >= 1 && value <= MAX_ITEM_TIMEOUT_MS)) return;
  throw new TemperedError('input', `A record's time is whole milliseconds, 30 days at most; not ${value}.`);
}

/** A limit of failures: a whole number or a share. */
export function checkMaxFailures(value: unknown): void {
  if (value === undefined || isMaxFailures(value)) return;
  throw new TemperedError('input', `maxFailures is ${MAX_FAILURES_FORM}; not ${JSON.stringify(value)}.`);
}

/** Workers of a shared cluster may be anywhere: they can't reach a file on this machine. */
export function checkStoreReach(storeUrl: string, target: Pick<Target, 'kind' | 'address'> | null): void {
  if (target === null || target.kind === 'embedded' || !storeUrl.startsWith('sqlite:') || isLoopback(target.address))
    return;
  throw new TemperedError(
    'input',
    `The Temporal server ${target.address} is shared, but the store ${storeUrl} is a file on this machine.`,
    { remedy: 'Give a store every worker can reach: --store postgres://… or TEMPERED_STORE.' },
  );
}
