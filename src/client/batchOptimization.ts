import { optimizationSwitch } from '../caching/config.js';
import { chosenEnvironment, optimizationAt } from '../caching/environments.js';
import { parseModelRef } from '../models/modelRef.js';
import type { OptimizationConfig, OptimizationLayer } from '../task/optimization.js';
import type { TaskSpec } from '../task/spec.js';
import { loadNodeConfig } from './nodeConfig.js';

/** A batch about to start. */
export interface BatchPlace {
  /** Its task. */
  readonly spec: TaskSpec;
  /** Its id: what a rollout by percentage goes by. */
  readonly id: string;
  /** What the start itself says. */
  readonly call: OptimizationLayer | undefined;
  /** For TEMPERED_ENV and LLM_OPTIMIZATION_ENABLED. */
  readonly env: NodeJS.ProcessEnv;
}

/**
 * How a batch's prompts are made cheaper: `tempered.config` is read anew, so that what was changed holds for the next
 * batch. Batches cache where nobody says otherwise. Throws `input`.
 */
export async function batchOptimization({ spec, id, call, env }: BatchPlace): Promise<OptimizationConfig> {
  const { environments = {} } = await loadNodeConfig();
  return optimizationAt({
    environment: chosenEnvironment(environments, env),
    provider: parseModelRef(spec.model).provider,
    service: spec.name,
    purpose: 'batch',
    call,
    task: spec.optimization,
    enabledByDefault: true,
    forced: optimizationSwitch(env),
    rolloutKey: id,
  });
}
