import type { Command } from 'commander';
import type { CommandHost } from './command.js';

type AddCommand = (program: Command, host: CommandHost) => void;

/** Every command and where it is. Loaded when it is named: most of them bring the whole library. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  init: async () => (await import('./commands/init.js')).addInit,
  run: async () => (await import('./commands/run.js')).addRun,
  estimate: async () => (await import('./commands/estimate.js')).addEstimate,
  models: async () => (await import('./commands/models.js')).addModels,
  call: async () => (await import('./commands/call.js')).addCall,
  status: async () => (await import('./commands/status.js')).addStatus,
  watch: async () => (await import('./commands/watch.js')).addWatch,
  pause: async () => (await import('./commands/pause.js')).addPause,
  resume: async () => (await import('./commands/resume.js')).addResume,
  set: async () => (await import('./commands/set.js')).addSet,
  add: async () => (await import('./commands/add.js')).addAdd,
  cancel: async () => (await import('./commands/cancel.js')).addCancel,
  skip: async () => (await import('./commands/skip.js')).addSkip,
  answer: async () => (await import('./commands/answer.js')).addAnswer,
  retry: async () => (await import('./commands/retry.js')).addRetry,
  results: async () => (await import('./commands/results.js')).addResults,
  schedule: async () => (await import('./commands/schedule.js')).addSchedule,
  costs: async () => (await import('./commands/costs.js')).addCosts,
  serve: async () => (await import('./commands/serve.js')).addServe,
  worker: async () => (await import('./commands/worker.js')).addWorker,
  dev: async () => (await import('./commands/worker.js')).addDev,
  server: async () => (await import('./commands/server.js')).addServer,
  down: async () => (await import('./commands/server.js')).addDown,
  sim: async () => (await import('./commands/sim.js')).addSim,
};

/** What parses a command line: the command it names, none for `--version`, else all of them. */
export async function commandsFor([name]: readonly string[]): Promise<readonly AddCommand[]> {
  if (name === '--version') return [];
  const named = name === undefined ? undefined : COMMANDS[name];
  const loaders = named === undefined ? Object.values(COMMANDS) : [named];
  return Promise.all(loaders.map((load) => load()));
}
