import { chosenEnvironment, type Environment } from '../caching/environments.js';
import { Registry } from '../registry/registry.js';
import { endpointsOf } from './endpoints.js';
import { loadNodeConfig } from './nodeConfig.js';

/** Where a registry finds endpoints, models and keys. */
export interface RegistryOptions {
  /** Environment for keys, addresses, `TEMPERED_ENHANCED`, `TEMPERED_ENV` and `LLM_OPTIMIZATION_ENABLED`. Default `process.env`. */
  readonly env?: NodeJS.ProcessEnv;
  /** Folder of `tempered.config.json` or `.yaml`. Default: the working directory. */
  readonly folder?: string;
}

/** Opens the registry of a folder's `tempered.config` and the environment's keys. Throws `input` for a faulty file. */
export async function openRegistry({ env = process.env, folder }: RegistryOptions = {}): Promise<Registry> {
  const config = await loadNodeConfig(folder);
  const { defaultModel, environments = {} } = config;
  const providers = endpointsOf(config, env);
  const environment = chosenEnvironment(environments, env);
  return new Registry({ providers, env, defaultModel: defaultModel ?? documentModel(environment), environment });
}

/** The model of the environment's default document. */
function documentModel(environment: Environment | undefined): string | undefined {
  const document = environment?.documents.find(({ isDefault }) => isDefault);
  if (document === undefined) return undefined;
  const { model } = document.configuration;
  return model === undefined ? undefined : `${document.provider}/${model}`;
}
