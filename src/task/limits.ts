import type { PoolLimits } from './spec.js';

/** Quotas a pool can have, by the names they are written with. */
export const LIMIT_NAMES = ['rpm', 'tpm', 'inputTpm', 'outputTpm', 'inFlight'] as const;

/** What is counted by the minute. */
export const METERS = ['requests', 'tokens', 'inputTokens', 'outputTokens'] as const;

/** One of {@link METERS}. */
export type Meter = (typeof METERS)[number];

/** A number for each meter. */
export type Amounts = Readonly<Record<Meter, number>>;

/** A number for each meter. */
export function amounts(of: (meter: Meter) => number): Amounts {
  return {
    requests: of('requests'),
    tokens: of('tokens'),
    inputTokens: of('inputTokens'),
    outputTokens: of('outputTokens'),
  };
}

/** A meter's limit a minute; undefined = none. */
export function limitOf(limits: PoolLimits, meter: Meter): number | undefined {
  switch (meter) {
    case 'requests':
      return limits.rpm;
    case 'tokens':
      return limits.tpm;
    case 'inputTokens':
      return limits.inputTpm;
    case 'outputTokens':
      return limits.outputTpm;
  }
}

/** Limits made name by name; undefined leaves one out. */
export function limitsBy(of: (name: (typeof LIMIT_NAMES)[number]) => number | null | undefined): PoolLimits {
  const made: { -readonly [Name in keyof PoolLimits]: PoolLimits[Name] } = {};
  for (const name of LIMIT_NAMES) {
    const value = of(name);
    if (value !== null && value !== undefined) made[name] = value;
  }
  return made;
}

/** The lowest of several limits, name by name. */
export function lowestLimits(all: readonly PoolLimits[]): PoolLimits {
  return limitsBy((name) => {
    const given = all.flatMap((limits) => limits[name] ?? []);
    return given.length === 0 ? undefined : Math.min(...given);
  });
}

/** Whether any limit is lower than its counterpart, or has none. Pure. */
export function isLower(limits: PoolLimits, than: PoolLimits): boolean {
  return LIMIT_NAMES.some((name) => (limits[name] ?? Infinity) < (than[name] ?? Infinity));
}
