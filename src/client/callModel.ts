import { call, type CallOptions, type CallResult } from './call.js';
import { endpointsOf } from './endpoints.js';
import { loadNodeConfig } from './nodeConfig.js';

export type { CallAnswer, CallError, CallFailure, CallOptions, CallResult } from './call.js';

/** One question to one model, through the endpoints of the environment and `tempered.config`. */
export interface CallModelOptions extends Omit<CallOptions, 'providers'> {
  /** Environment for keys and addresses. Default `process.env`. */
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Asks a model once: exactly one request, no retries, no Temporal. What provider and network do is in the result.
 * Throws `TemperedError` for an unknown provider (`input`) or a missing key (`authentication`).
 */
export async function callModel({ env = process.env, ...options }: CallModelOptions): Promise<CallResult> {
  return call({ ...options, providers: endpointsOf(await loadNodeConfig(), env) });
}
