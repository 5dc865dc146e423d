import { type AskInput, buildAsk } from '../activities/ask.js';
import { initialState, planOf } from '../recovery/ladder.js';
import { compileValidator } from '../recovery/validators.js';
import type { Control, StoredRecord } from '../store/types.js';
import type { AnyTask } from '../task/defineTask.js';
import type { JsonObject } from '../task/json.js';
import { nanoToUsd } from '../task/money.js';
import type { LoadedRecord, Message } from '../task/spec.js';
import { endpointsOf } from './endpoints.js';
import { loadNodeConfig } from './nodeConfig.js';
import { forEachRecord, type SkippedRecord } from './load.js';
import { type BatchData, openData } from './spool.js';

/** The first request of one record, as it would be sent. */
export interface PreviewedRequest {
  /** 0-based position of the record. */
  readonly index: number;
  /** The record's id. */
  readonly id: string;
  /** `provider/model`. */
  readonly model: string;
  /** System prompt: the same for every record. */
  readonly instructions: string | null;
  /** Turns. */
  readonly messages: readonly Message[];
  /** JSON Schema of the answer; null = text. */
  readonly schema: JsonObject | null;
  /** Cap of generated tokens. */
  readonly maxOutputTokens: number;
  /** Sampling temperature; null = none is sent. */
  readonly temperature: number | null;
  /** Effort or thinking level; null = none is sent. */
  readonly effort: string | null;
  /** Most this request could cost; USD; null = price unknown. */
  readonly worstUsd: number | null;
}

/** What a run would do. */
export interface Preview {
  /** Records that would be loaded. */
  readonly items: number;
  /** Of these, answered or skipped by the task's `before`. */
  readonly preset: number;
  /** Bad records that would be left out. */
  readonly skipped: readonly SkippedRecord[];
  /** The first few requests. Empty for a task with `prepare`, whose prompts depend on its result. */
  readonly requests: readonly PreviewedRequest[];
}

/** Requests shown. */
const SHOWN = 3;

/** Checks and renders every record as a run would, and shows the first requests. Sends and stores nothing. */
export async function previewBatch(
  task: AnyTask,
  data: BatchData,
  options: {
    readonly limit?: number | undefined;
    readonly idField?: string | undefined;
    readonly onBadInput?: 'fail' | 'skip' | undefined;
  } = {},
): Promise<Preview> {
  const { limit, idField, onBadInput: onBad = 'fail' } = options;
  const config = await loadNodeConfig();
  const endpoints = endpointsOf(config, process.env);
  const opened = await openData(data, { limit, onBad });
  try {
    const skipped: SkippedRecord[] = [];
    const requests: PreviewedRequest[] = [];
    let items = 0;
    let preset = 0;
    await forEachRecord(task, opened, { idField, onBad }, skipped, (record) => {
      if (record.preset !== undefined) preset += 1;
      else if (record.rendered !== null && requests.length < SHOWN) {
        requests.push(firstRequest(task, record, items, endpoints));
      }
      items += 1;
    });
    return { items, preset, skipped: [...skipped, ...opened.dataset.skipped], requests };
  } finally {
    await opened.close();
  }
}

/** Nothing is changed by messages. */
export const NO_CONTROL: Control = {
  version: 0,
  paused: null,
  stop: null,
  model: null,
  budgetNano: null,
  deadline: null,
  concurrency: 1,
  cancelled: [],
  limits: {},
};

function firstRequest(
  task: AnyTask,
  loaded: LoadedRecord,
  index: number,
  endpoints: AskInput['endpoints'],
): PreviewedRequest {
  const { hash, spec, functions } = task;
  const plan = planOf(spec);
  const checkShape = compileValidator({ schema: spec.schema, zod: task.schema });
  const record: StoredRecord = { ...loaded, index };
  const ask = buildAsk({
    task: { hash, spec, plan, checkShape, functions, module: task },
    record,
    state: initialState(plan),
    kept: null,
    control: NO_CONTROL,
    prepared: undefined,
    endpoints,
    now: new Date(),
  });
  const { instructions, messages, schema, maxOutputTokens, temperature, effort } = ask.request;
  return {
    index,
    id: loaded.id,
    model: ask.model,
    instructions: instructions ?? null,
    messages,
    schema: schema ?? null,
    maxOutputTokens,
    temperature: temperature ?? null,
    effort: effort ?? null,
    worstUsd: ask.worstNano === null ? null : nanoToUsd(ask.worstNano),
  };
}
