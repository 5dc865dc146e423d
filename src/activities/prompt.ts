import type { Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import { GATE_BOUND_MS } from '../limits/bounds.js';
import type { ModelReply } from '../providers/types.js';
import { advance } from '../recovery/ladder.js';
import type { PromptReport } from '../recovery/types.js';
import type { Control } from '../store/types.js';
import { type ItemError, TemperedError } from '../task/errors.js';
import type { OutcomeMetadata } from '../task/outcome.js';
import type { Json } from '../task/json.js';
import { type Ask, buildAsk } from './ask.js';
import type { ActivityDeps } from './context.js';
import { halt, isFatal, isUnspent, retryWait, UNREACHABLE_TRIES } from './faults.js';
import { withHeartbeat } from './heartbeat.js';
import { type Job, type Journalled, journalled, openJob, outcomeOf } from './job.js';
import { functionError, type Judged, judge, plainError } from './reply.js';
import { send } from './send.js';
import { pausedFailure, promptFailure, stoppedFailure, waitFailure } from './signals.js';
import type { PromptActivities, PromptInput, PromptResult } from './types.js';

/** Outputs up to this many bytes are returned to history, so that the UI shows them; bigger ones stay in the store. */
const MAX_OUTPUT_BYTES = 64 * 1024;

/** The `prompt` activity: one request to a model, journalled before and after, so that a crash never pays twice. */
export function createPromptActivities(deps: ActivityDeps): PromptActivities {
  return {
    async prompt(input: PromptInput): Promise<PromptResult> {
      let waits = 0;
      return withHeartbeat(
        () => waits,
        async (context) => {
          waits = earlierWaits(context);
          const run = new PromptRun(deps, input, context, (n) => {
            waits = n;
          });
          return run.execute(waits);
        },
      );
    },
  };
}

/** Rate limits and refusals in a row before this attempt, as the last attempt's heartbeat told. */
function earlierWaits(context: Context): number {
  const details: unknown = context.info.heartbeatDetails;
  return typeof details === 'number' ? details : 0;
}

class PromptRun {
  constructor(
    private readonly deps: ActivityDeps,
    private readonly input: PromptInput,
    private readonly context: Context,
    private readonly setWaits: (waits: number) => void,
  ) {}

  async execute(waits: number): Promise<PromptResult> {
    const job = await openJob(this.deps, this.input);
    const known = await journalled(this.deps, job);
    if (known !== undefined) return this.deliver(job, known);
    const control = await this.mayStart();
    const ask = this.ask(job, control);
    const permit = await this.enterGate(ask, control, job);
    let tokens: number | null = 0;
    try {
      // The wait at the gate may have been long: what was changed meanwhile holds for this prompt too.
      await this.reserve(job, ask, await this.mayStart());
      tokens = null;
      const reply = await send(this.deps, job, ask, this.context.cancellationSignal);
      tokens = reply.usage === null ? null : reply.usage.inputTokens + reply.usage.outputTokens;
      return await this.settle(job, ask, control, reply, waits);
    } finally {
      permit.release(tokens);
    }
  }

  /** The batch's word: may a prompt of this record start now? */
  private async mayStart(): Promise<Control> {
    const { batchId, index } = this.input;
    const control = await this.deps.control.read(batchId);
    if (control.stop !== null) throw stoppedFailure(control.stop);
    if (control.deadline !== null && this.deps.now() >= control.deadline) throw stoppedFailure('deadline');
    if (control.cancelled.includes(index)) throw stoppedFailure(ITEM_CANCELLED);
    if (control.paused !== null) {
      this.setWaits(0);
      throw pausedFailure(control.paused.message);
    }
    return control;
  }

  private ask(job: Job, control: Control): Ask {
    const { batch, task, record, state, kept } = job;
    try {
      const now = new Date(this.deps.now());
      return buildAsk({
        task,
        record,
        state,
        kept,
        control,
        prepared: batch.prepared,
        endpoints: this.deps.providers,
        now,
      });
    } catch (error) {
      if (!(error instanceof TemperedError)) throw error;
      throw stoppedFailure({ category: error.category, message: error.explanation, retryable: false });
    }
  }

  private async enterGate(ask: Ask, control: Control, job: Job) {
    const entered = await this.deps.gate.enter({
      pool: ask.provider,
      batchId: this.input.batchId,
      concurrency: control.concurrency,
      tokens: ask.tokens,
      limits: { ...job.task.spec.limits, ...control.limits },
      boundMs: GATE_BOUND_MS,
      signal: this.context.cancellationSignal,
    });
    if ('permit' in entered) return entered.permit;
    const { refusal } = entered;
    switch (refusal.kind) {
      case 'paused':
        throw pausedFailure(refusal.reason);
      case 'stopped':
        throw stoppedFailure(refusal.reason);
      case 'busy':
        throw waitFailure('RateLimited', `waiting for ${refusal.limiter}`, refusal.retryInMs);
    }
  }

  private async reserve(job: Job, ask: Ask, control: Control): Promise<void> {
    const { batchId, index } = this.input;
    const { model, provider: pool, stage, kind, variation, worstNano } = ask;
    const { budgetNano } = control;
    if (budgetNano !== null && worstNano === null) {
      const message = `The price of ${model} isn't known, so no budget can be kept. Choose another model, or take the budget away with \`tempered set ${batchId} --budget none\`.`;
      return this.pauseForMoney(control, message);
    }
    const base = { batchId, index, prompt: job.prompt, stage, kind, variation, model, pool, worstNano, budgetNano };
    const reserved = await this.deps.store.reserve(base);
    if (reserved.ok) return;
    if (reserved.needsNano === null) throw stoppedFailure(ENDED);
    const usd = (reserved.needsNano / 1e9).toFixed(4);
    const message = `The budget is used up: the next prompt may need $${usd} in all. Raise it with \`tempered set ${batchId} --budget USD\`.`;
    return this.pauseForMoney(control, message);
  }

  private async pauseForMoney(control: Control, message: string): Promise<never> {
    await halt(this.deps, this.input.batchId, control, { category: 'budget', message, retryable: true });
    throw pausedFailure(message);
  }

  /** Journals what came of the prompt, and tells the workflow. */
  private async settle(job: Job, ask: Ask, control: Control, reply: ModelReply, waits: number): Promise<PromptResult> {
    const unspent = !reply.ok && (isUnspent(reply.error) || isFatal(reply.error));
    if (!reply.ok && unspent) return this.giveBack(job, ask, control, reply, waits);
    const judged = await this.judged(job, ask, reply);
    const { event, verdict, output, usage, costNano } = judged;
    await this.callOnError(job, event);
    const user = job.user.toJSON().user;
    const report: PromptReport = { event, promptsUsed: job.prompt, usage, costNano, user };
    const { stage, kind, variation, model } = ask;
    const result: PromptResult = { ...report, stage, kind, variation, model, verdict, ...shown(output, verdict) };
    const metadata = job.task.spec.includeMetadata ? metadataOf(reply, job) : null;
    await this.deps.store.settle({
      ...this.place(job),
      result: verdict,
      issues: event.kind === 'invalid' ? event.issues : [],
      error: event.kind === 'error' ? event.error : null,
      kept: event.kind === 'invalid' ? (judged.keptAside ?? event.kept) : null,
      usage,
      costNano,
      cacheSavingsNano: judged.savingsNano,
      latencyMs: reply.latencyMs,
      raw: reply.raw,
      metadata,
      reply: { output, user },
      spent: true,
      outcome:
        this.input.probe === true
          ? null
          : outcomeOf(job, advance(job.task.plan, job.state, report), { ...judged, metadata }),
    });
    this.throwIfCancelled(reply);
    return this.verdict(result);
  }

  private judged(job: Job, ask: Ask, reply: ModelReply): Promise<Judged> {
    const { task, state, prompt } = job;
    return judge(reply, ask, { task, state, prompt, input: job.record.input });
  }

  /** The prompt reached no model: it is no prompt. Waits, or pauses the batch when waiting can't help. */
  private async giveBack(
    job: Job,
    ask: Ask,
    control: Control,
    reply: Extract<ModelReply, { ok: false }>,
    waits: number,
  ): Promise<never> {
    const { error } = reply;
    await this.deps.store.settle({
      ...this.place(job),
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
    const unreachable = error.category === 'network' && waits + 1 >= UNREACHABLE_TRIES;
    if (isFatal(error) || unreachable) {
      await halt(this.deps, this.input.batchId, control, plainError(error));
      this.setWaits(0);
      throw pausedFailure(error.message);
    }
    const waitMs = retryWait(error, waits);
    this.setWaits(waits + 1);
    if (error.category === 'rate_limit') await this.deps.gate.cooldown(ask.provider, this.deps.now() + waitMs);
    throw waitFailure(error.category === 'rate_limit' ? 'RateLimited' : 'Overloaded', error.message, waitMs);
  }

  private async callOnError(job: Job, event: PromptReport['event']): Promise<void> {
    const { functions } = job.task;
    if (functions.onError === undefined || event.kind === 'valid') return;
    const error: ItemError = event.kind === 'invalid' ? invalidError(event.issues) : event.error;
    const timeout = job.task.plan.promptTimeoutMs;
    const { cancellationSignal: signal } = this.context;
    try {
      await functions.onError(error, { attempt: job.prompt, timeout, state: job.user, signal });
    } catch (thrown) {
      this.context.log.warn(functionError('onError', thrown).message, { index: job.record.index });
    }
  }

  /** A result found in the journal: make sure its outcome is written, then tell the workflow. */
  private async deliver(job: Job, { result, ...answer }: Journalled): Promise<PromptResult> {
    if (this.input.probe !== true) {
      const outcome = outcomeOf(job, advance(job.task.plan, job.state, result), { ...answer, keptAside: null });
      if (outcome !== null) await this.deps.store.writeOutcome(outcome);
    }
    return this.verdict(result);
  }

  private verdict(result: PromptResult): PromptResult {
    const { event } = result;
    if (event.kind === 'error' || event.kind === 'lost') throw promptFailure(event.error, result);
    return result;
  }

  /** A cancelled workflow wants a cancelled activity; a worker that shuts down leaves the prompt to be counted as lost. */
  private throwIfCancelled(reply: ModelReply): void {
    if (reply.ok || reply.error.category !== 'cancelled') return;
    const reason: unknown = this.context.cancellationSignal.reason;
    if (reason instanceof CancelledFailure && reason.message !== 'WORKER_SHUTDOWN') throw reason;
  }

  private place(job: Job) {
    const { batchId, index } = this.input;
    return { batchId, index, prompt: job.prompt };
  }
}

const ENDED: ItemError = {
  category: 'unknown',
  code: 'has_outcome',
  message: 'The record has its outcome already: an attempt that was given up was answered late.',
  retryable: false,
};

const ITEM_CANCELLED: ItemError = {
  category: 'cancelled',
  message: 'Cancelled by `cancelItem`.',
  retryable: true,
};

function invalidError(issues: readonly { readonly message: string }[]): ItemError {
  const message = issues.map((issue) => issue.message).join('; ');
  return { category: 'invalid_output', message, retryable: true };
}

function shown(output: Json, verdict: PromptResult['verdict']): { output?: Json } {
  if (verdict !== 'valid' || Buffer.byteLength(JSON.stringify(output)) > MAX_OUTPUT_BYTES) return {};
  return { output };
}

function metadataOf(reply: ModelReply, job: Job): OutcomeMetadata {
  const { safetyRatings, finishReason, rawUsage } = reply;
  const rawRef = `${job.batch.id}/${job.record.index}/${job.prompt}`;
  return { safetyRatings, finishReason, tokenUsage: rawUsage, rawRef };
}
