import { worstCaseNano } from '../models/cost.js';
import { parseModelRef } from '../models/modelRef.js';
import type { ProviderSet } from '../providers/types.js';
import type { Store } from '../store/types.js';
import type { AnyTask } from '../task/defineTask.js';
import { count } from '../task/digits.js';
import { TemperedError } from '../task/errors.js';
import type { Json } from '../task/json.js';
import { loadedRecord } from '../task/loadRecord.js';
import { nanoToUsd } from '../task/money.js';
import type { LoadedRecord, RenderedPrompt } from '../task/spec.js';
import type { OpenedData } from './spool.js';

/** Records checked, rendered and stored at once. */
const CHUNK = 500;

/** How often loading tells how far it is; records. */
const TOLD_EVERY = 50_000;

/** A record that was left out by `onBadInput: 'skip'`. */
export interface SkippedRecord {
  /** 1-based line in its file. */
  readonly line: number | null;
  /** What was wrong with it. */
  readonly message: string;
}

/** What was loaded. */
export interface LoadReport {
  /** Records stored. */
  readonly loaded: number;
  /** Of these, answered or skipped by the task's `before`: no prompt is needed. */
  readonly preset: number;
  /** Bad ones that were left out; only with `onBadInput: 'skip'`. */
  readonly skipped: readonly SkippedRecord[];
  /** Most that one prompt for each record could cost; USD. Null when the price or the prompts are not known yet. */
  readonly worstUsd: number | null;
}

/** How records are loaded. */
export interface LoadOptions {
  /** Field that holds each record's id; default `id`. */
  readonly idField?: string | undefined;
  /** What happens to a record that can't be used. */
  readonly onBad: 'fail' | 'skip';
  /** Stops loading. */
  readonly signal?: AbortSignal | undefined;
  /** What is known of the task's model. */
  readonly providers: Pick<ProviderSet, 'modelInfo'>;
  /** Told how far loading is. */
  readonly onProgress: (line: string) => void;
}

/** Checks, renders and stores every record of a data set, in chunks. Throws for the first bad one, unless told to skip. */
export async function loadRecords(
  store: Store,
  batchId: string,
  task: AnyTask,
  data: OpenedData,
  options: LoadOptions,
): Promise<LoadReport> {
  const worst = new WorstCase(task, options.providers);
  const skipped: SkippedRecord[] = [];
  let chunk: LoadedRecord[] = [];
  let loaded = 0;
  let preset = 0;
  const flush = async () => {
    await store.appendRecords(batchId, chunk);
    chunk = [];
    if (loaded % TOLD_EVERY === 0) options.onProgress(`${count(loaded)} records loaded`);
  };
  const take = (record: LoadedRecord) => {
    options.signal?.throwIfAborted();
    worst.add(record);
    if (record.preset !== undefined) preset += 1;
    loaded += 1;
    chunk.push(record);
    return chunk.length === CHUNK ? flush() : undefined;
  };
  await forEachRecord(task, data, options, skipped, take);
  if (chunk.length > 0) await flush();
  skipped.push(...data.dataset.skipped);
  if (loaded === 0) throw nothingLeft(data, skipped);
  return { loaded, preset, skipped, worstUsd: worst.usd };
}

/**
 * Hands every record of a data set that can be used to `take`, checked and rendered, and its value as it was read, before
 * the task's `before` saw it. Waits for what `take` returns. Bad ones end it or are noted in `skipped`.
 */
export async function forEachRecord(
  task: AnyTask,
  { dataset, label }: OpenedData,
  { idField, onBad }: Pick<LoadOptions, 'idField' | 'onBad'>,
  skipped: SkippedRecord[],
  take: (record: LoadedRecord, value: Json) => Promise<void> | undefined,
): Promise<void> {
  const contextOf = (index: number, line: number) =>
    idField === undefined ? { index, file: label, line } : { index, file: label, line, idField };
  let index = 0;
  for await (const page of dataset.pages()) {
    for (const { value, line } of page) {
      let record: LoadedRecord;
      try {
        const made = loadedRecord(task, value, contextOf(index, line));
        record = made instanceof Promise ? await made : made;
      } catch (error) {
        if (onBad === 'fail' || !(error instanceof TemperedError) || error.category !== 'input') throw error;
        skipped.push({ line, message: error.message });
        continue;
      }
      index += 1;
      // Not a wait for nothing: see `loadedRecord`.
      const taking = take(record, value);
      if (taking !== undefined) await taking;
    }
  }
}

function nothingLeft(data: OpenedData, skipped: readonly SkippedRecord[]): TemperedError {
  const [first] = skipped;
  const place = { file: data.label };
  if (first === undefined) return new TemperedError('input', 'The file holds no records.', { place });
  const message = `None of its ${skipped.length} records can be used. The first: ${first.message}`;
  return new TemperedError('input', message, { place });
}

/** Adds up what one prompt for each record could cost at most. */
class WorstCase {
  private readonly info;
  private readonly staticBytes: number;
  private nano: number | null = 0;

  constructor(
    private readonly task: AnyTask,
    providers: LoadOptions['providers'],
  ) {
    const { spec } = task;
    this.info = providers.modelInfo(parseModelRef(spec.model), new Date());
    this.staticBytes = Buffer.byteLength(JSON.stringify([spec.instructions ?? '', spec.schema ?? null, spec.params]));
  }

  add(record: LoadedRecord): void {
    if (this.nano === null || record.preset !== undefined) return;
    const one = this.ofOne(record.rendered);
    this.nano = one === null ? null : this.nano + one;
  }

  private ofOne(rendered: RenderedPrompt | null): number | null {
    if (rendered === null || this.info.prices === null) return null;
    const bytes = this.staticBytes + Buffer.byteLength(JSON.stringify(rendered));
    return worstCaseNano(this.info, bytes, this.task.spec.maxOutputTokens);
  }

  get usd(): number | null {
    return this.nano === null ? null : nanoToUsd(this.nano);
  }
}
