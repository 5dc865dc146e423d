import { chosenEnvironment } from '../caching/environments.js';
import { createProviderSet } from '../providers/providerSet.js';
import type { ProviderSet } from '../providers/types.js';
import type { NodeConfig } from './nodeConfig.js';

/**
 * The endpoints that `tempered.config` and the process' environment describe: a provider document of the environment in
 * force may name the variable that holds its provider's key. Throws `input` for an environment the file does not have.
 */
export function endpointsOf(
  { providers: endpoints, models, environments = {} }: Pick<NodeConfig, 'providers' | 'models' | 'environments'>,
  env: NodeJS.ProcessEnv,
): ProviderSet {
  const documents = chosenEnvironment(environments, env)?.documents ?? [];
  const keyVariables = documents.flatMap(({ provider, configuration: { apiKeyEnv } }): [string, string][] =>
    apiKeyEnv === undefined ? [] : [[provider, apiKeyEnv]],
  );
  return createProviderSet({ env, endpoints, models, keyVariables: Object.fromEntries(keyVariables) });
}
