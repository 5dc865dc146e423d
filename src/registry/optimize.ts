import type { OptimizationOptions } from '../task/optimization.js';
import type { EnhancedLlm } from './enhanced.js';
import { PlainLlm } from './handle.js';
import { PROCESS_LOG } from './optimization.js';
import type { Llm } from './types.js';

/** The same enhanced handle, with its prompts made cheaper. */
export function optimize(llm: EnhancedLlm, config?: OptimizationOptions): EnhancedLlm;
/**
 * The same handle, with its prompts made cheaper as `config` says; what it leaves out is left to `tempered.config`, and
 * where nobody says `cache.enabled`, nothing is cached. The handle that comes back is used like the one that went in,
 * which stays as it is. A faulty configuration is logged (`Failed to apply optimization: …`) and gives the handle back
 * as it came.
 */
export function optimize(llm: Llm, config?: OptimizationOptions): Llm;
export function optimize(llm: Llm, config: OptimizationOptions = {}): Llm {
  if (llm instanceof PlainLlm) return llm.optimized(config);
  PROCESS_LOG.warn('Failed to apply optimization: the handle is not one of a registry.');
  return llm;
}
