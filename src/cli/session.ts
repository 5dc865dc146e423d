import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { applyOptions } from '../client/applyOptions.js';
import { writeOutcomes } from '../client/data/index.js';
import type { BatchHandle } from '../client/handle.js';
import { DEFAULT_FOLDER } from '../client/openContext.js';
import { isEnded } from '../client/settled.js';
import type { StartOptions, Submission } from '../client/submit.js';
import type { Tempered } from '../client/tempered.js';
import type { WorkOptions } from '../client/work.js';
import { EXIT, type ExitCode, exitOf } from './exit.js';
import type { Interrupt } from './interrupt.js';
import type { Io } from './io.js';
import { limiterName } from './limiterNames.js';
import { watchBatch } from './live.js';
import { workerLog } from './place.js';
import { leaveText } from './startText.js';
import { summaryText } from './summaryText.js';

/** What a command that starts a batch and works on it was told. */
export interface SessionOptions {
  /** The command a person repeats to go on. */
  readonly command: string;
  /** Ctrl-C. */
  readonly interrupt: Interrupt;
  /** What its worker serves. */
  readonly work: Pick<WorkOptions, 'tasks' | 'pools'>;
  /** Settings that are sent again to a batch that runs already. */
  readonly start: StartOptions;
  /** Start it and return. */
  readonly detach: boolean;
  /** Results file; undefined = one named after the batch. */
  readonly out: string | undefined;
  /** Add each record to its result. */
  readonly withInput: boolean;
}

/** One command's time with a batch it started or found: works on it, shows it, and tells what it came to. */
export class Session {
  constructor(
    private readonly io: Io,
    private readonly tempered: Tempered,
    private readonly options: SessionOptions,
  ) {}

  /** From the start to the last words. */
  async run(batch: BatchHandle<unknown>, submission: Submission, earlierUsd: number | null): Promise<ExitCode> {
    const { detach, interrupt } = this.options;
    if (submission.kind === 'shown') return this.report(batch, submission, earlierUsd);
    if (detach) return this.detach(batch, submission);
    interrupt.message = 'Saving: prompts in flight finish.';
    await this.work(batch, submission);
    return this.report(batch, submission, earlierUsd);
  }

  /** Leaves the work to others. */
  private async detach(batch: BatchHandle<unknown>, submission: Submission): Promise<ExitCode> {
    if (submission.kind === 'attached') await applyOptions(batch, this.options.start);
    this.io.say(`It runs on. Watch it: tempered watch ${batch.id}; its results: tempered results ${batch.id}`);
    this.io.result(await batch.summary());
    return EXIT.ok;
  }

  /** Works on the batch and shows it until it has ended, paused with nobody watching, or was left. */
  private async work(batch: BatchHandle<unknown>, submission: Submission): Promise<void> {
    const { interrupt, work, start } = this.options;
    const worker = await this.tempered.startWorker({ ...work, log: workerLog(this.io) });
    try {
      if (submission.kind === 'attached') await applyOptions(batch, start);
      await watchBatch(this.io, batch, {
        interrupt,
        working: worker.run,
        limiter: () => limiterName(worker.limiter(batch.id)),
        unpolled: () => this.tempered.unpolled(batch),
      });
    } finally {
      await worker.shutdown();
    }
  }

  private async report(
    batch: BatchHandle<unknown>,
    { reused }: Submission,
    earlierUsd: number | null,
  ): Promise<ExitCode> {
    const { io } = this;
    const { interrupt, command } = this.options;
    const { status } = await batch.progress();
    const ended = isEnded(status);
    const out = ended ? await this.writeResults(batch) : null;
    const summary = await batch.summary(out);
    for (const line of await summaryText(batch, summary, { earlierUsd, reused })) io.say(line);
    if (!ended) leaveText(await batch.progress(), command).forEach((line) => io.say(line));
    io.result(summary);
    return interrupt.asked && !ended ? EXIT.stopped : exitOf(summary, await batch.failures());
  }

  /** A batch that was retried has its newest answers in the file. */
  private async writeResults(batch: BatchHandle<unknown>): Promise<string> {
    const { out, withInput } = this.options;
    const file = out ?? path.join(DEFAULT_FOLDER, 'results', `${batch.id}.jsonl`);
    if (out === undefined) await mkdir(path.dirname(file), { recursive: true });
    const handle = this.tempered.batch(batch.id);
    const retried = (await handle.retries()).length > 0;
    await writeOutcomes(file, retried ? handle.latestOutcomePages({ withInput }) : handle.outcomePages({ withInput }));
    return file;
  }
}
