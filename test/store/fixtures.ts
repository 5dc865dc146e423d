import { randomUUID } from 'node:crypto';
import type { BatchOptions, Control, NewOutcome, Reservation, Settlement, Store } from '../../src/store/types.js';
import type { LoadedRecord } from '../../src/task/spec.js';
import type { Usage } from '../../src/task/usage.js';

export const USAGE: Usage = {
  inputTokens: 100,
  cachedInputTokens: 60,
  cacheWriteTokens: 20,
  cacheWrite1hTokens: 5,
  outputTokens: 30,
  thinkingTokens: 7,
};

/** The row of a batch that may go on. */
export const CONTROL: Control = {
  version: 1,
  paused: null,
  stop: null,
  model: null,
  budgetNano: null,
  deadline: null,
  concurrency: 50,
  cancelled: [],
  limits: {},
};

/** How a batch runs that asks for nothing of its own. */
export const OPTIONS: BatchOptions = {
  concurrency: 50,
  execution: 'item',
  budgetNano: null,
  onBudget: 'pause',
  deadline: null,
  open: false,
};

export function batchRow(id: string, taskHash = 'task-hash'): Parameters<Store['createBatch']>[0] {
  return {
    id,
    taskHash,
    taskName: 'tickets',
    dataHash: 'data-hash',
    source: 'tickets.jsonl',
    options: OPTIONS,
    createdAt: 1_700_000_000_000,
  };
}

export function record(index: number, more: Partial<LoadedRecord> = {}): LoadedRecord {
  return {
    id: `id-${index}`,
    line: index + 1,
    input: { text: `Ticket ${index}` },
    rendered: { messages: [{ role: 'user', content: `Ticket: ${index}` }] },
    ...more,
  };
}

export function records(count: number, from = 0): readonly LoadedRecord[] {
  return Array.from({ length: count }, (_, offset) => record(from + offset));
}

/** A batch of its own, loaded with `count` records. */
export async function loaded(store: Store, count: number, taskHash?: string): Promise<string> {
  const id = `tickets-${randomUUID()}`;
  await store.createBatch(batchRow(id, taskHash));
  await store.appendRecords(id, records(count));
  await store.finishLoading(id);
  return id;
}

export function reservation(batchId: string, index: number, more: Partial<Reservation> = {}): Reservation {
  return {
    batchId,
    index,
    prompt: 1,
    stage: 1,
    kind: 'full',
    variation: { temperature: 0 },
    model: 'anthropic/claude-sonnet-4-6',
    pool: 'anthropic',
    worstNano: 1_000,
    budgetNano: null,
    day: 20_000,
    dayNano: null,
    ...more,
  };
}

export function outcome(batchId: string, index: number, more: Partial<NewOutcome> = {}): NewOutcome {
  return {
    batchId,
    index,
    status: 'succeeded',
    output: { category: 'bug' },
    error: null,
    workflowId: `${batchId}/${index}`,
    runId: 'run',
    metadata: null,
    ...more,
  };
}

export function settlement(batchId: string, index: number, more: Partial<Settlement> = {}): Settlement {
  return {
    batchId,
    index,
    prompt: 1,
    result: 'valid',
    issues: [],
    error: null,
    kept: null,
    usage: USAGE,
    costNano: 700,
    cacheSavingsNano: 50,
    latencyMs: 1234,
    raw: { id: 'msg_1' },
    metadata: null,
    reply: { text: '{}' },
    spent: true,
    outcome: null,
    ...more,
  };
}

/** Everything an async iterable gives. */
export async function all<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
