import type { Command } from 'commander';
import { isEnded } from '../../client/settled.js';
import type { Tempered } from '../../client/tempered.js';
import { loadTask } from '../../task/loadTask.js';
import { type CommandHost, type PlaceOptions, withPlace } from '../command.js';
import { EXIT, type ExitCode, exitOf } from '../exit.js';
import { Interrupt } from '../interrupt.js';
import type { Io } from '../io.js';
import { limiterName } from '../limiterNames.js';
import { watchBatch } from '../live.js';
import { withTempered, workerLog } from '../place.js';
import { leaveText } from '../startText.js';
import { summaryText } from '../summaryText.js';

/** Adds `watch`. */
export function addWatch(program: Command, host: CommandHost): void {
  withPlace(program.command('watch'))
    .description('show a batch live, and work on it when no worker does')
    .argument('<batch>', 'id, a unique beginning of it, or latest')
    .argument('[task...]', 'task files with functions this batch needs')
    .action((name: string, tasks: readonly string[], options: PlaceOptions) =>
      host.run(options.json === true, (io) =>
        withTempered(io, options, (tempered) => watch(io, tempered, name, tasks)),
      ),
    );
}

async function watch(io: Io, tempered: Tempered, name: string, files: readonly string[]): Promise<ExitCode> {
  const batch = await tempered.findBatch(name);
  const before = await batch.progress();
  const interrupt = new Interrupt(io, 'Leaving: prompts in flight finish.');
  try {
    if (!isEnded(before.status)) {
      const missing = await tempered.unpolled(batch);
      const tasks = await Promise.all(files.map((file) => loadTask(file)));
      const worker =
        missing.length === 0 && tasks.length === 0 ? null : await tempered.startWorker({ tasks, log: workerLog(io) });
      try {
        await watchBatch(io, batch, {
          interrupt,
          working: worker?.run ?? null,
          limiter: () => limiterName(worker?.limiter(batch.id) ?? null),
          unpolled: () => tempered.unpolled(batch),
        });
      } finally {
        await worker?.shutdown();
      }
    }
    const snapshot = await batch.progress();
    const summary = await batch.summary();
    const facts = { earlierUsd: before.money.spentUsd, reused: 0 };
    for (const line of await summaryText(batch, summary, facts)) io.say(line);
    if (!isEnded(snapshot.status)) leaveText(snapshot, null).forEach((line) => io.say(line));
    io.result(summary);
    return interrupt.asked && !isEnded(snapshot.status) ? EXIT.stopped : exitOf(summary, await batch.failures());
  } finally {
    interrupt.close();
  }
}
