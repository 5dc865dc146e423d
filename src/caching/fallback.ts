import { TemperedError, thrownText } from '../task/errors.js';
import type { FallbackConfig } from '../task/optimization.js';

/** Whether a request that could not be cached goes out plain, rather than fail. */
export function goesPlain({ enabled, raiseOnFallback }: FallbackConfig): boolean {
  return enabled && !raiseOnFallback;
}

/**
 * Says through `warn` why the plain request goes out. Throws `invalid_request` where the settings want none:
 * `Optimization failed: …`.
 */
export function fallBack(fallback: FallbackConfig, cause: unknown, warn: (line: string) => void): void {
  if (!goesPlain(fallback)) {
    throw new TemperedError('invalid_request', `Optimization failed: ${thrownText(cause)}`, { cause });
  }
  if (fallback.logFailures) warn(`Cache optimization failed, falling back to standard API: ${thrownText(cause)}`);
}
