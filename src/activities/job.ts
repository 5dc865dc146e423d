import { Context } from '@temporalio/activity';
import { RetryState } from '../recovery/retryState.js';
import type { PromptEvent, RetryStateData, Step } from '../recovery/types.js';
import type { JournalRow, NewOutcome, StoredRecord } from '../store/types.js';
import { type ItemError, TemperedError } from '../task/errors.js';
import { isJsonObject, type Json, type JsonObject } from '../task/json.js';
import type { OutcomeMetadata } from '../task/outcome.js';
import type { ActivityDeps, BatchFacts, WorkerTask } from './context.js';
import type { PromptInput, PromptResult } from './types.js';

/** A prompt's record, task and state, read from the store. */
export interface Job {
  /** Its batch. */
  readonly batch: BatchFacts;
  /** The task. */
  readonly task: WorkerTask;
  /** The record. */
  readonly record: StoredRecord;
  /** State before this prompt. */
  readonly state: RetryStateData;
  /** What `execute` and `onError` see and change. */
  readonly user: RetryState;
  /** Kept fields of earlier prompts. */
  readonly kept: JsonObject | null;
  /** 1-based number of this prompt. */
  readonly prompt: number;
  /** Its prompts so far. */
  readonly journal: readonly JournalRow[];
  /** Workflow and run that ask, for the outcome. */
  readonly workflowId: string | null;
  /** The item's run; null when none was needed. */
  readonly runId: string | null;
}

/** Reads all a prompt of an item's workflow needs. */
export async function openJob(deps: ActivityDeps, { batchId, index, state }: PromptInput): Promise<Job> {
  const [batch, record, journal] = await Promise.all([
    deps.batches.get(batchId),
    deps.store.getRecord(batchId, index),
    deps.store.journal(batchId, index),
  ]);
  if (record === undefined) throw new TemperedError('input', `Batch ${batchId} has no record ${index}.`);
  const task = await deps.tasks.get(batch.taskHash);
  const { workflowExecution } = Context.current().info;
  return {
    batch,
    task,
    ...jobOf(record, journal, state),
    workflowId: workflowExecution?.workflowId ?? null,
    runId: workflowExecution?.runId ?? null,
  };
}

/** What of a job follows from a record, its journal and its state. */
export function jobOf(
  record: StoredRecord,
  journal: readonly JournalRow[],
  state: RetryStateData,
): Omit<Job, 'batch' | 'task' | 'workflowId' | 'runId'> {
  const kept = state.keptRef === null ? state.kept : (rowOf(journal, state.keptRef)?.kept ?? null);
  return { record, state, user: RetryState.fromJSON(state), kept, prompt: state.promptsUsed + 1, journal };
}

/** A prompt that was sent before this activity ran. */
export interface Journalled {
  /** How it ended. */
  readonly result: PromptResult;
  /** The valid answer; the valid fields of a `partial`; else null. */
  readonly output: Json;
  /** Raw facts, when the task asks for them; else null. */
  readonly metadata: OutcomeMetadata | null;
}

const LOST: ItemError = {
  category: 'unknown',
  code: 'worker_lost',
  message: 'The worker was lost while this prompt was in flight; its answer and cost are unknown.',
  retryable: true,
};

/**
 * The prompt this activity would send, when it was sent already: by the probe, or by an attempt whose worker died. An
 * answer in the journal is used; a prompt without one is counted as lost.
 */
export async function journalled(deps: ActivityDeps, job: Job): Promise<Journalled | undefined> {
  const row = rowOf(job.journal, job.prompt);
  if (row === undefined) return undefined;
  if (row.state === 'sent') await deps.store.markUnknown(job.batch.id, job.record.index, job.prompt, LOST);
  const reply = row.reply ?? {};
  const event = eventOf(row);
  const { stage, kind, variation, model, usage, costNano, metadata } = row;
  const user = isJsonObject(reply['user']) ? reply['user'] : job.state.user;
  const output = reply['output'] ?? null;
  const verdict = row.result ?? LOST.category;
  const report = { event, promptsUsed: job.prompt, usage, costNano, user };
  return { result: { ...report, stage, kind, variation, model, verdict }, output, metadata };
}

function eventOf(row: JournalRow): PromptEvent {
  if (row.state !== 'settled') return { kind: 'lost', error: row.error ?? LOST };
  if (row.result === 'valid') return { kind: 'valid' };
  if (row.result === 'invalid') {
    return { kind: 'invalid', issues: row.issues, kept: null, keptRef: row.kept === null ? null : row.prompt };
  }
  return { kind: 'error', error: row.error ?? LOST };
}

/** What an answer brings to an outcome. */
export interface Answer {
  /** Valid, or held for review: a held answer stays visible as the output. */
  readonly output: Json;
  /** Valid fields of this very prompt that are too big for history. */
  readonly keptAside: JsonObject | null;
  /** Raw facts, when the task asks for them; else null. */
  readonly metadata: OutcomeMetadata | null;
}

/** The outcome a step ends with; null when the item goes on. */
export function outcomeOf(job: Job, step: Step, answer: Answer): NewOutcome | null {
  if (step.next === 'prompt') return null;
  const { workflowId, runId } = job;
  const { metadata } = answer;
  const partial = step.status === 'partial' ? keptOf(job, step.state, answer.keptAside) : answer.output;
  return {
    batchId: job.batch.id,
    index: job.record.index,
    status: step.status,
    output: partial,
    error: step.error ?? null,
    workflowId,
    runId,
    metadata,
  };
}

function keptOf(job: Job, state: RetryStateData, aside: JsonObject | null): Json {
  if (state.keptRef === null) return state.kept;
  if (state.keptRef === job.prompt && aside !== null) return aside;
  return rowOf(job.journal, state.keptRef)?.kept ?? job.kept;
}

function rowOf(journal: readonly JournalRow[], prompt: number): JournalRow | undefined {
  return journal.find((row) => row.prompt === prompt);
}
