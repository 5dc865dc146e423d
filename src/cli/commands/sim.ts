import type { Command } from 'commander';
import { loadScenario, simulatorEnv, startSimulator } from '../../client/simulator.js';
import { count } from '../../task/digits.js';
import { type CommandHost, type CommonOptions, withJson } from '../command.js';
import { EXIT } from '../exit.js';
import { plural } from '../format.js';
import { Interrupt } from '../interrupt.js';
import { wholeNumber } from '../parse.js';

interface SimOptions extends CommonOptions {
  readonly port?: number;
  readonly scenario?: string;
}

/** Adds `sim`. */
export function addSim(program: Command, host: CommandHost): void {
  withJson(program.command('sim'))
    .description("a local server that speaks the providers' wire formats, for running without keys; until Ctrl-C")
    .option('--port <n>', 'port (default: a free one)', wholeNumber(0, 65_535))
    .option('--scenario <file>', 'latency, faults and limits: JSON or YAML')
    .action((options: SimOptions) =>
      host.run(options.json === true, async (io) => {
        const scenario = options.scenario === undefined ? undefined : await loadScenario(options.scenario);
        const simulator = await startSimulator({
          ...(options.port === undefined ? {} : { port: options.port }),
          ...(scenario === undefined ? {} : { scenario }),
        });
        const interrupt = new Interrupt(io, 'Stopping.');
        try {
          io.say(`# Simulator on ${simulator.url}; what it billed: ${simulator.url}/ledger. In another terminal:`);
          for (const [name, value] of Object.entries(simulatorEnv(simulator.url))) io.say(`export ${name}=${value}`);
          await interrupt.wait();
        } finally {
          interrupt.close();
          await simulator.close();
        }
        const totals = simulator.totals();
        io.say(`# ${plural(totals.requests, 'billed request')}, ${count(totals.inputTokens)} tokens in`);
        io.result({ url: simulator.url, ...totals });
        return EXIT.ok;
      }),
    );
}
