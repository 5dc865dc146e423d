import { CancelledFailure } from '@temporalio/common';
import { GATE_BOUND_MS } from '../limits/bounds.js';
import type { PoolSettings, Used } from '../limits/types.js';
import type { ModelReply } from '../providers/types.js';
import { advance } from '../recovery/ladder.js';
import type { PromptEvent, Step } from '../recovery/types.js';
import type { Control } from '../store/types.js';
import { type ItemError, TemperedError } from '../task/errors.js';
import type { OutcomeMetadata } from '../task/outcome.js';
import type { Json } from '../task/json.js';
import type { Ask } from './ask.js';
import type { ActivityDeps } from './context.js';
import { enterGate } from './enterGate.js';
import { halt, isFatal } from './faults.js';
import { askOf } from './jobAsk.js';
import { type Job, type Journalled, journalled, outcomeOf } from './job.js';
import { heard, type Hold, holdPool, tellFleet } from './poolWords.js';
import { functionError, type Judged, judge, plainError } from './reply.js';
import { type MoneyWord, reserveMoney } from './reserve.js';
import { isUnreachable, letThrough, routed } from './route.js';
import { send } from './send.js';
import { HAS_OUTCOME, ITEM_CANCELLED } from '../workflows/ends.js';
import { lookAgainIn, mustWait, paused, stopped } from './signals.js';
import type { PromptResult } from './types.js';

/** What is around one prompt. */
export interface PromptScope {
  /** Aborts it: its workflow was cancelled, or its record. */
  readonly signal: AbortSignal;
  /** The batch's first prompt, sent ahead of its record's turn: journalled, but ends nothing. */
  readonly probe: boolean;
  /** Tells the worker's log what nobody else hears. */
  readonly warn: (message: string) => void;
}

/** A prompt that was spent, and what the ladder says comes next. The outcome, if that is the end, is written. */
export interface PromptEnd {
  /** What happened, but for the answer. */
  readonly result: Omit<PromptResult, 'output'>;
  /** The valid answer, or what a person is asked to look at; else null. */
  readonly output: Json;
  /** The end, or another prompt. */
  readonly step: Step;
}

/** A reply, as far as it holds prompts back. */
interface Held {
  /** Rate limits and refusals in a row before it. */
  readonly waits: number;
  /** Null = it doesn't, or no wait would help. */
  readonly hold: Hold | null;
}

/** One prompt of one record: a request to a model, journalled before and after, so that a crash never pays twice. */
export class PromptRun {
  constructor(
    private readonly deps: ActivityDeps,
    private readonly job: Job,
    private readonly scope: PromptScope,
  ) {}

  /**
   * Uses the answer in the journal, or sends the prompt. `waits`: rate limits and refusals in a row before it. Throws
   * {@link UnsentError} when nothing was spent, the signal's reason when its workflow was cancelled.
   */
  async execute(waits: number): Promise<PromptEnd> {
    const { job } = this;
    const known = await journalled(this.deps, job);
    if (known !== undefined) {
      // A batch's first prompt may have been answered before its record was cancelled by name.
      await this.assertWanted();
      return this.deliver(known);
    }
    // All its waits at the gate together: the activity's time is made for one.
    const until = this.deps.now() + GATE_BOUND_MS;
    for (;;) {
      const end = await this.attempt(await this.mayStart(), waits, until);
      if (end !== undefined) return end;
    }
  }

  /** Undefined: another model was set while it waited for its turn. */
  private async attempt(control: Control, waits: number, until: number): Promise<PromptEnd | undefined> {
    const { job } = this;
    const sender = { job, waits };
    await this.deps.circuits.look();
    const ask = routed(this.deps, sender, control, (word) => this.ask(word));
    const permit = await enterGate(this.deps, { job, waits, until, signal: this.scope.signal }, ask, control);
    if (permit === undefined) return undefined;
    let tokens: Used = 'unsent';
    try {
      // The wait at the gate may have been long: what was changed meanwhile holds for this prompt too.
      const word = await this.mayStart();
      if (word.model !== control.model) return undefined;
      await letThrough(this.deps, sender, ask);
      await this.reserve(ask, word, permit.settings, waits);
      tokens = null;
      const reply = await send(this.deps, job, ask, this.scope);
      // Before anything is written: while the store is slow, no other prompt may run into the same refusal.
      const hold = holdPool(this.deps, ask, reply, waits);
      tokens = await heard(this.deps, { job, control }, ask, reply);
      return await this.settle(ask, control, reply, { waits, hold });
    } finally {
      permit.release(tokens);
    }
  }

  private async assertWanted(): Promise<void> {
    const { cancelled } = await this.deps.control.read(this.place.batchId);
    if (cancelled.includes(this.place.index)) throw stopped(ITEM_CANCELLED);
  }

  /** The batch's word: may a prompt of this record start now? */
  private mayStart(): Control | Promise<Control> {
    const { id } = this.job.batch;
    const known = this.deps.control.known(id);
    return known === undefined ? this.deps.control.read(id).then((word) => this.allowed(word)) : this.allowed(known);
  }

  private allowed(control: Control): Control {
    const { index } = this.job.record;
    if (control.stop !== null) throw stopped(control.stop);
    if (control.deadline !== null && this.deps.now() >= control.deadline) throw stopped('deadline');
    if (control.cancelled.includes(index)) throw stopped(ITEM_CANCELLED);
    if (control.paused !== null) throw paused(control.paused.message);
    return control;
  }

  private ask(control: Control): Ask {
    try {
      return askOf(this.deps, this.job, control, this.scope.warn);
    } catch (error) {
      if (!(error instanceof TemperedError)) throw error;
      throw stopped({ category: error.category, message: error.explanation, retryable: false });
    }
  }

  private async reserve(ask: Ask, control: Control, settings: PoolSettings, waits: number): Promise<void> {
    let word: MoneyWord | undefined;
    try {
      word = await reserveMoney(this.deps, this.job, ask, control, settings);
    } finally {
      if (word?.kind !== 'go') await this.deps.circuits.leave(ask.provider);
    }
    switch (word.kind) {
      case 'go':
        return;
      case 'ended':
        throw stopped(HAS_OUTCOME);
      case 'wait':
        throw mustWait({ type: 'RateLimited', message: word.message, waitMs: word.waitMs, waits });
      case 'pause':
        await halt(this.deps, this.job.batch.id, control, word.error);
        throw paused(word.error.message);
    }
  }

  /** Journals what came of the prompt, and tells the workflow. */
  private async settle(ask: Ask, control: Control, reply: ModelReply, held: Held): Promise<PromptEnd> {
    const { job } = this;
    this.throwIfShutDown(reply);
    if (!reply.ok && (held.hold !== null || isFatal(reply.error))) return this.giveBack(ask, control, reply, held);
    const judged = await this.judged(ask, reply);
    const { event, verdict, output, keptAside, usage, costNano } = judged;
    this.deps.meters.prompt({ model: ask.model, result: verdict, usage, costNano, latencyMs: reply.latencyMs });
    await this.callOnError(event);
    const user = job.user.userKeys();
    const { stage, kind, variation, model } = ask;
    const result = { event, promptsUsed: job.prompt, usage, costNano, user, stage, kind, variation, model, verdict };
    const metadata = job.task.spec.includeMetadata ? metadataOf(reply, job) : null;
    const step = advance(job.task.plan, job.state, result);
    // No spread here, nor in what else every prompt builds: with more fields behind it, one takes as long as a SQL row.
    await this.deps.store.settle({
      batchId: job.batch.id,
      index: job.record.index,
      prompt: job.prompt,
      result: verdict,
      issues: event.kind === 'invalid' ? event.issues : [],
      error: event.kind === 'error' ? event.error : null,
      kept: event.kind === 'invalid' ? (keptAside ?? event.kept) : null,
      usage,
      costNano,
      cacheSavingsNano: judged.savingsNano,
      latencyMs: reply.latencyMs,
      raw: reply.raw,
      metadata,
      reply: { output, user },
      spent: true,
      outcome: this.scope.probe || isAborted(reply) ? null : outcomeOf(job, step, { output, keptAside, metadata }),
    });
    this.throwIfCancelled(reply);
    return { result, output, step };
  }

  private judged(ask: Ask, reply: ModelReply): Promise<Judged> {
    const { task, state, prompt, record } = this.job;
    return judge(reply, ask, { task, state, prompt, input: record.input });
  }

  /** The prompt reached no model: it is no prompt. Waits, or pauses the batch when waiting can't help. */
  private async giveBack(
    ask: Ask,
    control: Control,
    reply: Extract<ModelReply, { ok: false }>,
    { waits, hold }: Held,
  ): Promise<never> {
    const { error, latencyMs } = reply;
    this.deps.meters.prompt({ model: ask.model, result: error.category, usage: null, costNano: 0, latencyMs });
    const settled = this.deps.store.settle({
      ...this.place,
      result: error.category,
      issues: [],
      error: plainError(error),
      kept: null,
      usage: null,
      costNano: 0,
      cacheSavingsNano: 0,
      latencyMs: reply.latencyMs,
      raw: reply.raw,
      metadata: null,
      reply: null,
      spent: false,
      outcome: null,
    });
    await Promise.all([settled, hold === null ? null : tellFleet(this.deps, ask, hold)]);
    if (hold === null || (await isUnreachable(this.deps, { job: this.job, waits }, ask, error))) {
      await halt(this.deps, this.job.batch.id, control, plainError(error));
      throw paused(error.message);
    }
    const leftMs = Math.max(0, hold.until - this.deps.now());
    const waitMs = hold.closes ? lookAgainIn(leftMs) : leftMs;
    const type = error.category === 'rate_limit' ? 'RateLimited' : 'Overloaded';
    throw mustWait({ type, message: error.message, waitMs, waits: waits + 1 });
  }

  private async callOnError(event: PromptEvent): Promise<void> {
    const { job, scope } = this;
    const { functions } = job.task;
    if (functions.onError === undefined || event.kind === 'valid') return;
    const error: ItemError = event.kind === 'invalid' ? invalidError(event.issues) : event.error;
    const timeout = job.task.plan.promptTimeoutMs;
    const { signal } = scope;
    try {
      await functions.onError(error, { attempt: job.prompt, timeout, state: job.user, signal });
    } catch (thrown) {
      scope.warn(functionError('onError', thrown).message);
    }
  }

  /** A result found in the journal: make sure its outcome is written. */
  private async deliver({ result, ...answer }: Journalled): Promise<PromptEnd> {
    const { job } = this;
    const step = advance(job.task.plan, job.state, result);
    const outcome = this.scope.probe ? null : outcomeOf(job, step, { ...answer, keptAside: null });
    if (outcome !== null) await this.deps.store.writeOutcome(outcome);
    return { result, output: answer.output, step };
  }

  /** A worker that shuts down leaves its prompt to be counted as lost, and asked again elsewhere. */
  private throwIfShutDown(reply: ModelReply): void {
    const reason: unknown = this.scope.signal.reason;
    if (isAborted(reply) && reason instanceof CancelledFailure && reason.message === 'WORKER_SHUTDOWN') throw reason;
  }

  /** A cancelled workflow wants a cancelled activity, and knows why its record ends. */
  private throwIfCancelled(reply: ModelReply): void {
    const reason: unknown = this.scope.signal.reason;
    if (isAborted(reply) && reason instanceof CancelledFailure) throw reason;
  }

  private get place() {
    const { batch, record, prompt } = this.job;
    return { batchId: batch.id, index: record.index, prompt };
  }
}

/** Whoever aborted the prompt says how its record ends. */
function isAborted(reply: ModelReply): boolean {
  return !reply.ok && reply.error.category === 'cancelled';
}

function invalidError(issues: readonly { readonly message: string }[]): ItemError {
  const message = issues.map((issue) => issue.message).join('; ');
  return { category: 'invalid_output', message, retryable: true };
}

function metadataOf(reply: ModelReply, job: Job): OutcomeMetadata {
  const { safetyRatings, finishReason, rawUsage } = reply;
  const rawRef = `${job.batch.id}/${job.record.index}/${job.prompt}`;
  return { safetyRatings, finishReason, tokenUsage: rawUsage, rawRef };
}
