import { goesPlain } from '../caching/fallback.js';
import { failureOfMarks, isCacheGone, refusesMarks, unmarked } from '../providers/cacheFaults.js';
import type { ModelReply, PromptRequest } from '../providers/types.js';
import { cacheLostSignal } from '../workflows/messages.js';
import type { Ask } from './ask.js';
import { cachingOf } from './caching.js';
import type { ActivityDeps } from './context.js';
import type { Job } from './job.js';

/** What a process remembers of each kind. */
const MOST_KNOWN = 1000;

/** What this process learned of caches that could not be used. */
export class CacheFaults {
  private readonly refusing = new Set<string>();
  private readonly told = new Set<string>();
  private readonly untagged = new Set<string>();

  /** Whether a provider refused a model's breakpoints in a batch's prompts: the batch's later ones get none. */
  refuses(batchId: string, model: string): boolean {
    return this.refusing.has(refusalKey(batchId, model));
  }

  /** A provider refused a model's breakpoints in a batch's prompts. What its task adds may be to blame: others ask anew. */
  refused(batchId: string, model: string): void {
    isNew(this.refusing, refusalKey(batchId, model));
  }

  /** An explicit cache is gone; true the first time. */
  lost(name: string): boolean {
    return isNew(this.told, name);
  }

  /** A batch's tags are in no cache; true the first time. */
  tagsDropped(batchId: string): boolean {
    return isNew(this.untagged, batchId);
  }
}

/** Adds to what is known. The oldest goes first: what is still about only comes once more. */
function isNew(known: Set<string>, key: string): boolean {
  if (known.has(key)) return false;
  known.add(key);
  for (const oldest of known) {
    if (known.size <= MOST_KNOWN) break;
    known.delete(oldest);
  }
  return true;
}

/** What sending a prompt is given. */
export interface Sending {
  /** Aborts it. */
  readonly signal: AbortSignal;
  /** Tells the worker's log. */
  readonly warn: (line: string) => void;
}

/**
 * Sends a prompt's request. When its explicit cache has vanished the whole request goes out, once, and the batch is
 * told; when its breakpoints are refused it goes out without, unless the settings want it to fail. Neither refusal is
 * billed.
 */
export async function sendCached(
  deps: ActivityDeps,
  job: Job,
  ask: Ask,
  { signal, warn }: Sending,
): Promise<ModelReply> {
  const provider = deps.providers.get(ask.provider);
  // Looked up when something went wrong, not for every prompt.
  const fallback = () => cachingOf(job.batch, job.task.spec, deps.optimizing).fallback;
  const known = deps.cacheFaults.refuses(job.batch.id, ask.model) && goesPlain(fallback());
  const request = known ? unmarked(ask.request) : ask.request;
  const reply = await provider.send(request, signal);
  if (reply.ok) return reply;
  if (isCacheGone(request, reply)) {
    await tellLost(deps, job, request, warn);
    return provider.send({ ...request, explicitCache: undefined }, signal);
  }
  if (!refusesMarks(request, reply)) return reply;
  const failure = failureOfMarks(reply, fallback(), warn);
  if (failure !== undefined) return failure;
  deps.cacheFaults.refused(job.batch.id, ask.model);
  return provider.send(unmarked(request), signal);
}

function refusalKey(batchId: string, model: string): string {
  return JSON.stringify([batchId, model]);
}

async function tellLost(
  deps: ActivityDeps,
  job: Job,
  { explicitCache }: PromptRequest,
  warn: (line: string) => void,
): Promise<void> {
  const name = explicitCache?.name ?? '';
  if (!deps.cacheFaults.lost(name)) return;
  warn(`The explicit cache ${name} is gone; prompts go out whole until there is another.`);
  await deps.client.workflow.getHandle(job.batch.id).signal(cacheLostSignal, name);
}
