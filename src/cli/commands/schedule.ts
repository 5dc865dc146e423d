import { type Command, Option } from 'commander';
import type { OverlapPolicy, ScheduleOptions, Schedules, ScheduleState } from '../../client/schedules/schedules.js';
import { withBatchOptions } from '../batchOptions.js';
import { type CommandHost, type PlaceOptions, withPlace } from '../command.js';
import { EXIT } from '../exit.js';
import type { Io } from '../io.js';
import { duration } from '../parse.js';
import { withTempered } from '../place.js';
import type { RunOptions } from './run.js';

/** Overlap policies by the names Temporal's own command line has for them. */
const OVERLAPS: Readonly<Record<string, OverlapPolicy>> = {
  Skip: 'SKIP',
  BufferOne: 'BUFFER_ONE',
  BufferAll: 'BUFFER_ALL',
  CancelOther: 'CANCEL_OTHER',
  AllowAll: 'ALLOW_ALL',
};

/** What `run` knows too. */
type BatchOption =
  | 'model'
  | 'concurrency'
  | 'weight'
  | 'execution'
  | 'limit'
  | 'budget'
  | 'onBudget'
  | 'maxFailures'
  | 'reuse'
  | 'onBadInput'
  | 'idField';

interface CreateOptions extends PlaceOptions, Pick<RunOptions, BatchOption> {
  readonly cron?: string;
  readonly interval?: number;
  readonly timeZone?: string;
  readonly overlapPolicy?: string;
  readonly paused?: boolean;
}

type NamedOptions = PlaceOptions & { readonly reason?: string; readonly overlapPolicy?: string };

/** Adds `schedule` and what it can do. */
export function addSchedule(program: Command, host: CommandHost): void {
  const schedule = program
    .command('schedule')
    .description('run a task again and again, on its data as they are each time; needs a running `dev` or `worker`');
  addCreate(schedule, host);
  withPlace(schedule.command('list'))
    .description('every schedule')
    .action((options: PlaceOptions) =>
      on(host, options, async (schedules, io) => {
        const all = await schedules.list();
        for (const one of all) io.say(line(one));
        if (all.length === 0) io.say('There is no schedule.');
        io.result({ schedules: all });
      }),
    );
  const named = (name: string, description: string) =>
    withPlace(schedule.command(name)).description(description).argument('<schedule>', 'its name');
  named('describe', 'one schedule: its files, its next firings, its last batches').action(
    (name: string, options: PlaceOptions) =>
      on(host, options, async (schedules, io) => {
        const state = await schedules.describe(name);
        io.say(line(state));
        io.say(`task: ${state.task ?? '?'}, data: ${state.data ?? '?'}`);
        for (const time of state.next.slice(0, 5)) io.say(`next: ${time}`);
        for (const batch of state.batches) io.say(`batch: ${batch}`);
        io.result(state);
      }),
  );
  const change = (
    command: Command,
    words: string,
    work: (schedules: Schedules, name: string, options: NamedOptions) => Promise<void>,
  ) =>
    command.action((name: string, options: NamedOptions) =>
      on(host, options, async (schedules, io) => {
        await work(schedules, name, options);
        io.say(`Schedule ${name} ${words}.`);
        io.result({ schedule: name });
      }),
    );
  const reason = (command: Command) => command.option('--reason <text>', 'why, for whoever looks at it');
  change(reason(named('pause', 'it fires no more; its running batch goes on')), 'is paused', (all, name, options) =>
    all.pause(name, options.reason),
  );
  change(reason(named('unpause', 'it fires again')), 'fires again', (all, name, options) =>
    all.unpause(name, options.reason),
  );
  change(withOverlap(named('trigger', 'fire now')), 'was fired', (all, name, options) =>
    all.trigger(name, overlapOf(options.overlapPolicy)),
  );
  change(named('delete', 'delete it; its batches stay, and go on'), 'is deleted', (all, name) => all.delete(name));
}

function addCreate(schedule: Command, host: CommandHost): void {
  const command = withOverlap(withPlace(schedule.command('create')))
    .description('create one; task and data are files in the folder of the workers')
    .argument('<schedule>', 'its name')
    .argument('<task>', 'task file, read at each firing')
    .argument('<data>', 'data set, read at each firing')
    .option('--cron <expression>', 'when it fires, such as "0 6 * * *"')
    .option('--interval <dur>', 'time between firings: 30m, 6h, 1d', duration)
    .option('--time-zone <name>', 'of --cron, such as Europe/Berlin (default: UTC)')
    .option('--paused', 'it fires only after `unpause`');
  withBatchOptions(command)
    .option('--reuse', 'take over answers earlier batches got for the same task and records')
    .addOption(
      new Option('--on-bad-input <what>', 'a record that is no good (default: fail)').choices(['fail', 'skip']),
    )
    .option('--id-field <name>', "field with each record's id (default: id)")
    .action((name: string, task: string, data: string, options: CreateOptions) =>
      on(host, options, async (schedules, io) => {
        await schedules.create(name, task, data, scheduleOptions(options));
        const state = await schedules.describe(name);
        io.say(line(state));
        io.result(state);
      }),
    );
}

function scheduleOptions({
  address: _address,
  store: _store,
  json: _json,
  interval,
  overlapPolicy,
  budget,
  ...rest
}: CreateOptions): ScheduleOptions {
  return {
    ...rest,
    ...(interval === undefined ? {} : { everyMs: interval }),
    ...(budget === undefined ? {} : { budgetUsd: budget }),
    ...(overlapPolicy === undefined ? {} : { overlap: overlapOf(overlapPolicy) }),
  };
}

function withOverlap(command: Command): Command {
  const what = 'when the batch before still runs (default: Skip)';
  return command.addOption(new Option('--overlap-policy <what>', what).choices(Object.keys(OVERLAPS)));
}

function overlapOf(name: string | undefined): OverlapPolicy | undefined {
  return name === undefined ? undefined : OVERLAPS[name];
}

function on(
  host: CommandHost,
  options: PlaceOptions,
  work: (schedules: Schedules, io: Io) => Promise<void>,
): Promise<void> {
  return host.run(options.json === true, (io) =>
    withTempered(io, options, async (tempered) => {
      await work(tempered.schedules, io);
      return EXIT.ok;
    }),
  );
}

function line({ schedule, paused, note, next }: ScheduleState): string {
  const state = paused ? 'paused' : `next at ${next[0] ?? 'no time'}`;
  return `${schedule}: ${state}${note === null ? '' : ` (${note})`}`;
}
