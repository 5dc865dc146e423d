import type { Client } from '@temporalio/client';
import type { CircuitBreaker } from '../limits/circuitBreaker.js';
import type { ControlCache } from '../limits/controlCache.js';
import type { PoolBook } from '../limits/poolBook.js';
import type { Meters } from '../limits/meters.js';
import type { Tuner } from '../limits/tuner.js';
import type { Gate } from '../limits/types.js';
import { isInteractive } from '../limits/weight.js';
import type { ProviderSet } from '../providers/types.js';
import { planOf } from '../recovery/ladder.js';
import type { ItemPlan, Validation } from '../recovery/types.js';
import { compileValidator } from '../recovery/validators.js';
import type { BatchRow, Store } from '../store/types.js';
import type { AnyTask } from '../task/defineTask.js';
import { TemperedError } from '../task/errors.js';
import type { TaskFunctions } from '../task/functions.js';
import type { Json } from '../task/json.js';
import type { TaskSpec } from '../task/spec.js';
import type { CacheFaults } from './cacheFaults.js';
import type { ScheduledInput } from '../workflows/scheduleTypes.js';
import type { Notifier } from './notifier.js';
import type { Optimizing } from './registerBatch.js';
import type { MoneyWatch } from './reserve.js';

/** Starts the batch `batchId` of a task and data in files. */
export type SubmitFile = (batchId: string, input: ScheduledInput, signal: AbortSignal) => Promise<void>;

/** What every activity factory is given: nothing is reached through globals. */
export interface ActivityDeps {
  /** The open store. */
  readonly store: Store;
  /** Endpoints this process can reach. */
  readonly providers: ProviderSet;
  /** Every prompt of this process passes it. */
  readonly gate: Gate;
  /** Tells whoever watches this process. */
  readonly meters: Meters;
  /** Which endpoints keep failing. */
  readonly circuits: CircuitBreaker;
  /** What concurrency would be better. */
  readonly tuner: Tuner;
  /** Whose quota a model's prompts use. */
  readonly pools: PoolBook;
  /** Whether reserved money still moves. */
  readonly money: MoneyWatch;
  /** What the batch allows now. */
  readonly control: ControlCache;
  /** Tasks by hash. */
  readonly tasks: TaskBook;
  /** Batches by id. */
  readonly batches: BatchBook;
  /** Tells the outside world. */
  readonly notifier: Notifier;
  /** Starts a batch of files in this process' folder, as a client does. Throws `input` for files that can't be used. */
  readonly submitFile: SubmitFile;
  /** For words to a batch workflow. */
  readonly client: Client;
  /** Caches that could not be used. */
  readonly cacheFaults: CacheFaults;
  /** LLM_OPTIMIZATION_ENABLED of this process; undefined = the batch's own settings hold. */
  readonly optimizing?: boolean | undefined;
  /** For batches that another SDK starts. */
  readonly optimization: Optimizing;
  /** Milliseconds since epoch. */
  readonly now: () => number;
  /** Takes what failed beside the work, for the log. */
  readonly warn: (error: unknown) => void;
  /** Aborted when this worker shuts down: what takes long starts nothing more. */
  readonly closing: AbortSignal;
}

/** A task as a worker runs it. */
export interface WorkerTask {
  /** The task's hash. */
  readonly hash: string;
  /** Its serialisable part. */
  readonly spec: TaskSpec;
  /** Stages and limits of an item. */
  readonly plan: ItemPlan;
  /** Checks an answer's shape; the task's own `validate` comes after it. */
  readonly checkShape: (value: Json) => Validation;
  /** Empty when the task has none. */
  readonly functions: TaskFunctions<Json, Json>;
  /** The module's task, when this worker loaded one. */
  readonly module: AnyTask | undefined;
}

/** What an item's workflow must know, where a batch may set what its task does too. */
export function batchPlan({ itemTimeoutMs }: BatchFacts['options'], spec: TaskSpec): ItemPlan {
  return { ...planOf(spec), ...(itemTimeoutMs === undefined ? {} : { itemTimeoutMs }) };
}

/** Tasks by hash: from the modules this worker loaded, else from the store. */
export class TaskBook {
  private readonly known = new Map<string, Promise<WorkerTask>>();
  private readonly modules: ReadonlyMap<string, AnyTask>;

  constructor(
    private readonly store: Pick<Store, 'getTask'>,
    modules: readonly AnyTask[],
  ) {
    this.modules = new Map(modules.map((task) => [task.hash, task]));
  }

  /** The task of `hash`. Throws `input` when it was never registered, or needs a module that is not loaded here. */
  get(hash: string): Promise<WorkerTask> {
    return remembered(this.known, hash, () => this.load(hash));
  }

  private async load(hash: string): Promise<WorkerTask> {
    const module = this.modules.get(hash);
    const spec = module?.spec ?? (await this.store.getTask(hash));
    if (spec === undefined) {
      throw new TemperedError('input', `The store knows no task ${hash.slice(0, 12)}.`, {
        remedy: 'Start the batch with `tempered run`, or send the whole task file as `task`.',
      });
    }
    if (module === undefined && spec.functions.length > 0) {
      throw new TemperedError(
        'input',
        `Task ${spec.name} has functions, and its module is not loaded in this worker.`,
        {
          remedy: `Start a worker with it: \`tempered worker ${spec.name}.ts\`.`,
        },
      );
    }
    const checkShape = compileValidator({ schema: spec.schema, zod: module?.schema });
    return { hash, spec, plan: planOf(spec), checkShape, functions: module?.functions ?? {}, module };
  }
}

/** What of a batch's row never changes while prompts run. */
export type BatchFacts = Pick<BatchRow, 'id' | 'taskHash' | 'taskName' | 'prepared' | 'options' | 'items'>;

/**
 * Batches by id, read once: `prepare()` is over before the first prompt. Those of few records are read each time, which
 * they can afford: records may have come to them since, in any process, until they are no longer so small.
 */
export class BatchBook {
  private readonly known = new Map<string, Promise<BatchFacts>>();

  constructor(private readonly store: Pick<Store, 'getBatch'>) {}

  /** The batch of `id`. Throws `input` when the store does not know it. */
  get(id: string): Promise<BatchFacts> {
    return remembered(this.known, id, async () => {
      const row = await this.store.getBatch(id);
      if (row !== undefined) {
        if (isInteractive({ items: row.items, open: row.options.open })) this.forget(id);
        return row;
      }
      throw new TemperedError('input', `The store knows no batch ${id}.`, {
        remedy: 'Check that this worker uses the store the batch was started with (TEMPERED_STORE).',
      });
    });
  }

  /** Reads the batch anew next time: it was prepared meanwhile. */
  forget(id: string): void {
    this.known.delete(id);
  }
}

/** Batches or tasks a worker keeps in mind: more than run at once, few enough to forget about memory. */
const MAX_KNOWN = 200;

/** Loads once per key; a failure is not remembered, the oldest entry makes room. */
function remembered<T>(known: Map<string, Promise<T>>, key: string, load: () => Promise<T>): Promise<T> {
  const found = known.get(key);
  if (found !== undefined) return found;
  const loading = load();
  known.set(key, loading);
  loading.catch(() => known.delete(key));
  const oldest = known.keys().next();
  if (known.size > MAX_KNOWN && oldest.done !== true) known.delete(oldest.value);
  return loading;
}
