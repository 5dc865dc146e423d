import { readFile } from 'node:fs/promises';
import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { didYouMean } from '../task/nearest.js';
import { TemperedError, type Place } from '../task/errors.js';

/** The largest ratio of the 95th percentile to the mean that a lognormal distribution can have. */
const MOST_SKEWED = 3.8;

const rate = z.number().min(0).max(1).default(0);

const latencySchema = z.union([
  z.strictObject({ fixedMs: z.number().min(0) }),
  z
    .strictObject({ meanMs: z.number().positive(), p95Ms: z.number().positive() })
    .refine(({ meanMs, p95Ms }) => p95Ms >= meanMs && p95Ms <= meanMs * MOST_SKEWED, {
      message: `p95Ms must lie between meanMs and ${MOST_SKEWED} times meanMs`,
    }),
]);

const transportRates = {
  rateLimit: rate,
  overloaded: rate,
  serverError: rate,
  reset: rate,
  hang: rate,
};

const answerRates = {
  invalidJson: rate,
  proseAroundJson: rate,
  wrongFields: rate,
  missingFields: rate,
  truncation: rate,
  refusal: rate,
  safetyBlock: rate,
  empty: rate,
};

/** Failures of a request that reaches no model: never billed. */
export const TRANSPORT_FAULTS = ['rateLimit', 'overloaded', 'serverError', 'reset', 'hang'] as const;

/** One of {@link TRANSPORT_FAULTS}. */
export type TransportFault = (typeof TRANSPORT_FAULTS)[number];

/** What can be wrong with an answer: billed like any other. */
export const ANSWER_FAULTS = [
  'invalidJson',
  'proseAroundJson',
  'wrongFields',
  'missingFields',
  'truncation',
  'refusal',
  'safetyBlock',
  'empty',
] as const;

/** One of {@link ANSWER_FAULTS}. */
export type AnswerFault = (typeof ANSWER_FAULTS)[number];

const ratesSchema = z
  .strictObject({ ...transportRates, ...answerRates })
  .superRefine((rates, context) => {
    for (const group of [TRANSPORT_FAULTS, ANSWER_FAULTS]) {
      const sum = group.reduce((total, name) => total + rates[name], 0);
      if (sum > 1) context.addIssue({ code: 'custom', message: `${group.join(' + ')} must not exceed 1` });
    }
  })
  .prefault({});

const scenarioSchema = z.strictObject({
  /** Changes every random decision. */
  seed: z.number().int().default(1),
  /** Time from request to answer, milliseconds. */
  latency: latencySchema.default({ fixedMs: 0 }),
  /** Shares of the requests, 0 to 1. */
  rates: ratesSchema,
  /** Share of `invalidJson`, `proseAroundJson`, `wrongFields` and `missingFields` that is left with each later stage. */
  laterStages: z.number().min(0).max(1).default(0.5),
  /** Hint of a `rateLimit` fault, seconds; null = no hint. */
  retryAfterSeconds: z.number().min(0).nullable().default(1),
  /** Enforced quotas of each provider account, that is of each key. */
  limits: z
    .strictObject({
      rpm: z.number().positive().optional(),
      tpm: z.number().positive().optional(),
      inputTpm: z.number().positive().optional(),
      outputTpm: z.number().positive().optional(),
    })
    .prefault({}),
  /** How the prompt caches behave. */
  caches: z
    .strictObject({
      /** Time from the answer that wrote an entry until prompts find it, milliseconds; null = found at once, so that totals hang on no timing. */
      readableAfterMs: z.number().min(0).nullable().default(null),
      /** Whether Gemini's explicit caches keep their `displayName`. */
      displayNames: z.boolean().default(true),
    })
    .prefault({}),
  /** The only keys that are taken. Absent: any but those that start with `wrong`. */
  keys: z.array(z.string().min(1)).min(1).optional(),
  /** Models beside the known ones, `provider/model`. */
  models: z.array(z.string().regex(/^[a-z]+\/./, 'a model is written provider/model')).default([]),
});

/** What the simulator does, with every default filled in. */
export type Scenario = z.output<typeof scenarioSchema>;

/** A scenario as people write it: everything may be left out. */
export type ScenarioInput = z.input<typeof scenarioSchema>;

/** Names that may stand at a place of a scenario. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(scenarioSchema.shape),
  rates: [...TRANSPORT_FAULTS, ...ANSWER_FAULTS],
  latency: ['fixedMs', 'meanMs', 'p95Ms'],
  limits: ['rpm', 'tpm', 'inputTpm', 'outputTpm'],
  caches: ['readableAfterMs', 'displayNames'],
};

type Issue = z.core.$ZodIssue;

/** The issues of a union's most fitting member: the one that has least to object to. */
function innermost(issue: Issue): readonly Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const [best = []] = [...issue.errors].sort((a, b) => a.length - b.length);
  return best.flatMap((inner) => innermost({ ...inner, path: [...issue.path, ...inner.path] }));
}

function describe(issue: Issue): string {
  const at = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    const near = issue.keys.map((key) => `"${key}"${didYouMean(key, KEYS[at] ?? [])}`).join(', ');
    return `${at === '' ? '' : `${at}: `}unknown key ${near}`;
  }
  return `${at === '' ? '' : `${at}: `}${issue.message}`;
}

/** Reads a scenario. Throws `TemperedError` (`input`) that names the place and, for a misspelt key, the near ones. */
export function parseScenario(value: unknown, place?: Place): Scenario {
  const result = scenarioSchema.safeParse(value ?? {});
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap(innermost).map(describe);
  throw new TemperedError('input', `The scenario is not valid: ${problems.join('; ')}`, {
    remedy: `A scenario has ${(KEYS[''] ?? []).join(', ')}.`,
    ...(place === undefined ? {} : { place }),
  });
}

/** Reads a scenario from a JSON or YAML file. Throws `TemperedError` (`input`) when it can't be read or is not valid. */
export async function loadScenario(path: string): Promise<Scenario> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new TemperedError('input', `The scenario can't be read: ${said}`, {
      remedy: 'Give the path of a JSON or YAML file.',
      place: { file: path },
      cause,
    });
  }
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    const line = cause instanceof YAMLParseError ? cause.linePos?.[0].line : undefined;
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new TemperedError('input', `The scenario is neither JSON nor YAML: ${said}`, {
      remedy: 'Correct the file.',
      place: line === undefined ? { file: path } : { file: path, line },
      cause,
    });
  }
  return parseScenario(value, { file: path });
}
