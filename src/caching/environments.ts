import { z } from 'zod';
import { TemperedError } from '../task/errors.js';
import { didYouMean } from '../task/nearest.js';
import { type OptimizationConfig, type OptimizationLayer, optimizationLayerSchema } from '../task/optimization.js';
import { isSecretName } from '../task/secrets.js';
import { resolveOptimization } from './config.js';

const configurationSchema = z
  .record(z.string(), z.json())
  .superRefine((settings, context) => {
    for (const name of Object.keys(settings).filter(isSecretName)) {
      const message = 'a key must not stand in a file: name the variable that holds it, as apiKeyEnv';
      context.addIssue({ code: 'custom', path: [name], message });
    }
  })
  .pipe(z.strictObject({ model: z.string().min(1).exactOptional(), apiKeyEnv: z.string().min(1).exactOptional() }));

const documentSchema = z.strictObject({
  provider: z.string().min(1),
  isDefault: z.boolean().default(false),
  configuration: configurationSchema.default({}),
  optimization: optimizationLayerSchema.default({}),
});

const environmentSchema = z.strictObject({
  documents: z
    .array(documentSchema)
    .refine((list) => list.filter(({ isDefault }) => isDefault).length <= 1, 'only one document is the default')
    .refine((list) => new Set(list.map(({ provider }) => provider)).size === list.length, 'one document a provider')
    .default([]),
  services: z.record(z.string(), optimizationLayerSchema).default({}),
  purposes: z.record(z.string(), optimizationLayerSchema).default({}),
});

/** `environments` of the config file: by name, provider documents and what differs for services and purposes. */
export const environmentsSchema = z.record(z.string().min(1), environmentSchema);

/** What {@link environmentsSchema} reads. */
export type Environments = z.output<typeof environmentsSchema>;

/** Settings of one environment. */
export type Environment = Environments[string];

/** The environment where nobody names one. */
const DEFAULT_ENVIRONMENT = 'default';

/**
 * The environment TEMPERED_ENV names, else `default`; undefined when the file has no `default`. Throws `input` for a
 * name the file does not have.
 */
export function chosenEnvironment(
  environments: Environments,
  env: Readonly<Record<string, string | undefined>>,
): Environment | undefined {
  const named = env['TEMPERED_ENV']?.trim() ?? '';
  if (named === '') return environments[DEFAULT_ENVIRONMENT];
  const found = environments[named];
  const names = Object.keys(environments);
  if (found !== undefined || names.length === 0) return found;
  throw new TemperedError('input', `TEMPERED_ENV is "${named}".${didYouMean(named, names)}`, {
    remedy: `tempered.config has the environments ${names.join(', ')}.`,
  });
}

/** What is to be optimized, for the layers that hold for it. */
export interface OptimizationPlace {
  /** Settings of the environment; undefined = none are configured. */
  readonly environment: Environment | undefined;
  /** The model's provider. */
  readonly provider: string;
  /** The service: a batch's is its task's name. */
  readonly service: string;
  /** What the model is used for; a batch's is `batch`. */
  readonly purpose: string;
  /** What the call itself says. */
  readonly call?: OptimizationLayer | undefined;
  /** What the task says. */
  readonly task?: OptimizationLayer | undefined;
  /** See `ResolveOptions`. */
  readonly enabledByDefault?: boolean;
  /** See `ResolveOptions`. */
  readonly forced?: boolean | undefined;
  /** See `ResolveOptions`. Default: the service. */
  readonly rolloutKey?: string;
}

/**
 * The settings in force at a place: call before task, purpose, service and provider. Throws `input`, also for settings
 * that are meant for another provider than the place's.
 */
export function optimizationAt(place: OptimizationPlace): OptimizationConfig {
  const { environment, provider, service, purpose, call, task, rolloutKey = service, ...options } = place;
  const document = environment?.documents.find((one) => one.provider === provider);
  const layers = [call, task, environment?.purposes[purpose], environment?.services[service], document?.optimization];
  const config = resolveOptimization(layers, { ...options, rolloutKey });
  if (config.provider === undefined || config.provider === provider) return config;
  throw new TemperedError('input', `optimization.provider is ${config.provider}, and the model is ${provider}'s.`, {
    remedy: "Leave it out, or name the model's provider; what is meant for one provider goes into its document.",
  });
}
