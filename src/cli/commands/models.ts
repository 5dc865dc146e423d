import type { Command } from 'commander';
import { readModel, readModels } from '../../client/models.js';
import { type CommandHost, type CommonOptions, withJson } from '../command.js';
import { EXIT } from '../exit.js';
import { modelsText, modelText } from '../modelsText.js';

interface Options extends CommonOptions {
  readonly offline?: boolean;
}

/** Adds `models list` and `models show`. */
export function addModels(program: Command, host: CommandHost): void {
  const models = program.command('models').description('what is known of models, and what endpoints list now');
  withOffline(withJson(models.command('list')))
    .description('models of our tables, of tempered.config, and of every endpoint with a key or on this machine')
    .argument('[provider]', 'only this endpoint')
    .action((provider: string | undefined, options: Options) =>
      host.run(options.json === true, async (io) => {
        const found = await readModels({ env: process.env, provider, ask: options.offline !== true });
        for (const line of modelsText(found)) io.say(line);
        io.result(found);
        return EXIT.ok;
      }),
    );
  withOffline(withJson(models.command('show')))
    .description('limits, parameters and prices of one model')
    .argument('<model>', 'provider/model')
    .action((model: string, options: Options) =>
      host.run(options.json === true, async (io) => {
        const found = await readModel(model, { env: process.env, ask: options.offline !== true });
        for (const line of modelText(found)) io.say(line);
        io.result(found);
        return EXIT.ok;
      }),
    );
}

function withOffline(command: Command): Command {
  return command.option('--offline', 'ask no endpoint');
}
