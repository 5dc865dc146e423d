import type { Circuit, Lease, LeaseRequest, PoolSettings } from '../limits/types.js';
import type { ItemError } from '../task/errors.js';
import type { Json } from '../task/json.js';
import type { Counters, Outcome } from '../task/outcome.js';
import type { LoadedRecord, PoolLimits, TaskSpec } from '../task/spec.js';
import type { EndpointCircuit, PoolPatch, PoolState } from './poolRows.js';
import type {
  BatchRow,
  PauseState,
  Control,
  OpenRecord,
  StoredRecord,
  Reservation,
  ReserveResult,
  Settlement,
  JournalRow,
  NewOutcome,
  OutcomeFilter,
} from './rows.js';
import type { FailureGroup, RangeCounts, SpendRow } from './sums.js';

export type * from './rows.js';
export type * from './sums.js';
export type * from './poolRows.js';

/** Everything durable outside Temporal. One contract, two backends. All methods throw `TemperedError` for a full disk, a read-only folder, or a lost database. */
export interface Store {
  /** `sqlite:path` or `postgres://…` without its password, for people. */
  readonly url: string;

  /** Registers a task; a second time is no error. */
  putTask(hash: string, spec: TaskSpec): Promise<void>;
  /** The task of `hash`; undefined = never registered. */
  getTask(hash: string): Promise<TaskSpec | undefined>;

  /**
   * Claims the batch id for loading. `created`: the caller loads. `exists`: see the row; a `loading` row whose loader
   * has not called `appendRecords` for 15 s is emptied and claimed anew (`created`).
   */
  createBatch(
    row: Omit<BatchRow, 'status' | 'statusReason' | 'items' | 'prepared' | 'startedAt' | 'finishedAt'>,
  ): Promise<'created' | 'exists'>;
  /** The batch of `id`; undefined = unknown. */
  getBatch(id: string): Promise<BatchRow | undefined>;
  /** Newest first. */
  listBatches(limit: number): Promise<readonly BatchRow[]>;
  /** Changes what is named, leaves the rest. */
  updateBatch(
    id: string,
    patch: Partial<Pick<BatchRow, 'status' | 'statusReason' | 'options' | 'prepared' | 'startedAt' | 'finishedAt'>>,
  ): Promise<void>;
  /** Removes a batch that failed to load, with its records. */
  discardBatch(id: string): Promise<void>;

  /** Appends a chunk (at most a few thousand) after the last record; presets become outcomes. Throws `input` on a duplicate id, naming both lines. */
  appendRecords(batchId: string, records: readonly LoadedRecord[]): Promise<void>;
  /** Appends copies of another batch's records, in the order of their indices (rising): ids, inputs and prompts stay. */
  copyRecords(batchId: string, fromBatchId: string, indices: readonly number[]): Promise<void>;
  /** Marks loading as complete: status `ready`. */
  finishLoading(batchId: string): Promise<void>;
  /** Appends added items once per `clientKey`; the same key again returns the same range. `to` is exclusive. */
  addItems(
    batchId: string,
    clientKey: string,
    records: readonly LoadedRecord[],
  ): Promise<{ readonly from: number; readonly to: number }>;
  /** One record; undefined = no such index. */
  getRecord(batchId: string, index: number): Promise<StoredRecord | undefined>;
  /** Indices in `[from, to)` that have no outcome, rising, with their ids. */
  pending(
    batchId: string,
    from: number,
    to: number,
  ): Promise<readonly { readonly index: number; readonly id: string }[]>;
  /**
   * Those of `indices` (rising) that have no outcome, with their prompts; streamed in bounded memory, whatever the size
   * of a record. Each page is read when it is asked for.
   */
  openRecords(batchId: string, indices: readonly number[]): AsyncIterable<OpenRecord>;
  /**
   * `--reuse`: copies succeeded outcomes of earlier batches with the same task and record hash to records of this
   * batch that have none. Returns how many. Copies cost nothing here: no prompts, no usage.
   */
  reuseOutcomes(batchId: string, taskHash: string): Promise<number>;

  /**
   * Journals a prompt and reserves its worst case, if the budget allows. Grouped with others' writes. Throws when the
   * prompt is in the journal already: whoever put it there sends it.
   */
  reserve(reservation: Reservation): Promise<ReserveResult>;
  /** Journals what came of it, corrects the money, and writes the outcome if there is one. Grouped. */
  settle(settlement: Settlement): Promise<void>;
  /** Marks a `sent` prompt whose worker died as unknown: it stays charged at its worst case. */
  markUnknown(batchId: string, index: number, prompt: number, error: ItemError): Promise<void>;
  /** The item's prompts, in order. */
  journal(batchId: string, index: number): Promise<readonly JournalRow[]>;
  /** The provider's body of a settled prompt: what a `rawRef` names. Undefined when there is none. */
  rawResponse(batchId: string, index: number, prompt: number): Promise<Json | undefined>;

  /** Writes an outcome if there is none. False: there was one already. Grouped. */
  writeOutcome(outcome: NewOutcome): Promise<boolean>;
  /** Replaces an outcome (a person's answer, a post-processor's change); counters follow. */
  replaceOutcome(
    batchId: string,
    index: number,
    change: Pick<NewOutcome, 'status' | 'output' | 'error'>,
  ): Promise<void>;
  /** One outcome; undefined = not yet. */
  getOutcome(batchId: string, index: number): Promise<Outcome | undefined>;
  /**
   * Gives every record of `[from, to)` without an outcome its final one: records with prompts in the journal become
   * `failed`, the others `notRun`, both with this error. Returns the range's counts.
   */
  closeRange(batchId: string, from: number, to: number, error: ItemError): Promise<RangeCounts>;
  /** Outcomes in input order, streamed in bounded memory. */
  outcomes(batchId: string, filter?: OutcomeFilter): AsyncIterable<Outcome>;
  /** The same in pages: who reads a million does not wait for each. */
  outcomePages(batchId: string, filter?: OutcomeFilter): AsyncIterable<readonly Outcome[]>;
  /** Outcomes in the order they were written, after `cursor` (0 = from the start): for `--follow`. */
  outcomesSince(
    batchId: string,
    cursor: number,
    limit: number,
  ): Promise<{ readonly outcomes: readonly Outcome[]; readonly cursor: number }>;
  /** Batches that ask again for records of this one, oldest first. */
  retriesOf(batchId: string): Promise<readonly BatchRow[]>;
  /** Succeeded outcomes by record id, of the last of these batches that has one; other records are left out. */
  successes(
    batchIds: readonly string[],
    recordIds: readonly string[],
  ): Promise<ReadonlyMap<string, { readonly batchId: string; readonly outcome: Outcome }>>;
  /** The batch's totals, as of now. */
  counters(batchId: string): Promise<Counters>;
  /** Failures grouped by category and code, biggest first, with up to 3 example indices each. */
  failureGroups(batchId: string): Promise<readonly FailureGroup[]>;

  /** What each batch made from `from` up to `to` spent (milliseconds since epoch, `to` exclusive), oldest first. */
  spendByBatch(from: number, to: number): Promise<readonly SpendRow[]>;
  /** The same for each model of each batch, or of the batch named, added up from the journal. */
  spendByModel(from: number, to: number, batchId?: string): Promise<readonly SpendRow[]>;

  /** Publishes a control row; a lower version than the stored one is ignored. Clears a worker's halt. */
  publishControl(batchId: string, control: Control): Promise<void>;
  /** The control row with a worker's halt folded into `paused`. Undefined before the first publication. */
  readControl(batchId: string): Promise<Control | undefined>;
  /** A worker's emergency pause (wrong key, budget): true for the first caller at this version, who tells the workflow. */
  halt(batchId: string, atVersion: number, pause: PauseState): Promise<boolean>;

  /** One statement: gives back, takes, and reads the cooldown. Creates the pool's row if needed. */
  lease(request: LeaseRequest): Promise<Lease>;
  /** No request in the pool before `until` (ms since epoch); only ever moves it later. */
  cooldown(pool: string, until: number): Promise<void>;
  /**
   * The provider was overloaded: lowers the pool's rate, from what all live workers really start, at most the known
   * limit. `observedRpm`: requests a minute that `worker` started lately; the others said it with their leases.
   */
  lowerRate(pool: string, worker: string, observedRpm: number): Promise<void>;
  /**
   * What the provider's headers said of a model's limits; limits not named stay as they were told before. The lowest
   * hold of what the pool's models were told within the last minute.
   */
  tellLimits(pool: string, model: string, limits: PoolLimits): Promise<void>;
  /** Changes a pool's settings live, over what is configured; null takes one back. Returns all that is set so. */
  setPool(pool: string, patch: PoolPatch): Promise<PoolSettings>;
  /** Every pool anybody used, by name. */
  listPools(): Promise<readonly PoolState[]>;
  /**
   * Changes what is known of an endpoint's failures, under a lock; `now` is the clock its times are on. Returns what
   * holds then, in this process' time.
   */
  changeCircuit(endpoint: string, change: (before: Circuit, now: number) => Circuit): Promise<Circuit>;
  /** Endpoints that failed since they last answered, by name. */
  listCircuits(): Promise<readonly EndpointCircuit[]>;
  /** Workers that hold leases, those included that are gone. */
  leaseHolders(): Promise<readonly string[]>;
  /** Gives a worker's in-flight leases back at its end. */
  dropLeases(worker: string): Promise<void>;

  /** Writes what is pending and closes the connection. */
  close(): Promise<void>;
}
