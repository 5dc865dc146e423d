import { z } from 'zod';
import { didYouMean } from '../task/nearest.js';
import { modelInfo } from '../models/catalog.js';
import type { ProviderKind } from '../models/types.js';
import type { UserModels } from '../models/userModels.js';
import { TemperedError } from '../task/errors.js';
import type { Endpoint } from './adapter.js';
import { marksBare } from './anthropic/breakpoints.js';
import { anthropic, gemini, lmStudio, openAi } from './lazy.js';
import { cachesBarePrefix } from './openai/promptCache.js';
import type { Provider, ProviderSet } from './types.js';

/** Words people write for a wire, and the wire they mean. */
const KINDS = {
  anthropic: 'anthropic',
  gemini: 'gemini',
  'openai-compatible': 'openai-compatible',
  openai: 'openai-compatible',
  compatible: 'openai-compatible',
} as const satisfies Record<string, ProviderKind>;

const kindSchema = z
  .enum(['anthropic', 'gemini', 'openai-compatible', 'openai', 'compatible'])
  .transform((word): ProviderKind => KINDS[word]);

/** `providers` of the config file: named endpoints beside the built-in ones. */
export const endpointsSchema = z.record(
  z.string().regex(/^[a-z0-9][a-z0-9_-]*$/i, 'a name is made of letters, digits, - and _'),
  z.strictObject({
    kind: kindSchema,
    baseUrl: z.url({ protocol: /^https?$/ }),
    apiKeyEnv: z.string().min(1).optional(),
  }),
);

/** Named endpoints, by name. */
export type EndpointConfigs = z.infer<typeof endpointsSchema>;

/** Endpoints and wires that keep prefixes for less; servers that only speak OpenAI's wire don't say. */
const CACHING: ReadonlySet<string> = new Set(['anthropic', 'gemini', 'openai']);

/** Where keys and base URLs come from. */
type Environment = Readonly<Record<string, string | undefined>>;

/** What {@link createProviderSet} is made of. */
export interface ProviderSetOptions {
  /** Usually `process.env`; read when an endpoint is first used. */
  readonly env: Environment;
  /** Named endpoints of the config file. Default none. */
  readonly endpoints?: EndpointConfigs;
  /** What the config file says of models. Default nothing. */
  readonly models?: UserModels;
  /** Variables that hold the key of an endpoint, by its name, in place of its usual ones. Default none. */
  readonly keyVariables?: Readonly<Record<string, string>>;
}

/** An endpoint before its variables are read. */
interface Definition {
  /** The base URL in force; undefined = none is set and there is no default. */
  baseUrl(env: Environment): string | undefined;
  readonly baseUrlVariable: string | undefined;
  /** Variables that may hold the key, first set one wins. */
  readonly keyVariables: readonly string[];
  readonly keyRequired: boolean;
  create(endpoint: Endpoint, env: Environment): Provider;
}

/** Unset and empty are the same. */
function read(env: Environment, variable: string): string | undefined {
  const value = env[variable]?.trim();
  return value === '' ? undefined : value;
}

/** `LMSTUDIO_BASE_URL`, else host and port of LM Studio's server. */
function lmStudioUrl(env: Environment): string {
  const url = read(env, 'LMSTUDIO_BASE_URL');
  if (url !== undefined) return url;
  const host = read(env, 'LMSTUDIO_HOST') ?? 'localhost';
  const address = host.includes('://') ? host.replace(/\/+$/, '') : `http://${host}`;
  const port = read(env, 'LMSTUDIO_PORT');
  const hasPort = /:\d+$/.test(address);
  return `${address}${port === undefined ? (hasPort ? '' : ':1234') : hasPort ? '' : `:${port}`}/v1`;
}

const geminiFrom: Definition['create'] = (endpoint, env) => gemini(endpoint, read(env, 'GOOGLE_GENAI_API_VERSION'));

/** Who pays, for keys that may use several accounts: nobody else's business. */
function openAiAccount(env: Environment): Readonly<Record<string, string>> {
  const organization = read(env, 'OPENAI_ORG_ID');
  const project = read(env, 'OPENAI_PROJECT_ID');
  return {
    ...(organization === undefined ? {} : { 'openai-organization': organization }),
    ...(project === undefined ? {} : { 'openai-project': project }),
  };
}

const BUILT_IN: ReadonlyMap<string, Definition> = new Map<string, Definition>([
  [
    'anthropic',
    {
      baseUrl: (env) => read(env, 'ANTHROPIC_BASE_URL') ?? 'https://api.anthropic.com',
      baseUrlVariable: 'ANTHROPIC_BASE_URL',
      keyVariables: ['ANTHROPIC_API_KEY'],
      keyRequired: true,
      create: anthropic,
    },
  ],
  [
    'gemini',
    {
      baseUrl: (env) => read(env, 'GOOGLE_GEMINI_BASE_URL') ?? 'https://generativelanguage.googleapis.com',
      baseUrlVariable: 'GOOGLE_GEMINI_BASE_URL',
      keyVariables: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
      keyRequired: true,
      create: geminiFrom,
    },
  ],
  [
    'openai',
    {
      baseUrl: (env) => read(env, 'OPENAI_BASE_URL') ?? 'https://api.openai.com/v1',
      baseUrlVariable: 'OPENAI_BASE_URL',
      keyVariables: ['OPENAI_API_KEY'],
      keyRequired: true,
      create: (endpoint, env) => openAi(endpoint, 'openai', openAiAccount(env)),
    },
  ],
  ['lmstudio', local('LMSTUDIO', lmStudioUrl, lmStudio)],
  ['ollama', local('OLLAMA', (env) => read(env, 'OLLAMA_BASE_URL') ?? 'http://localhost:11434/v1')],
  ['compatible', local('COMPATIBLE', (env) => read(env, 'COMPATIBLE_BASE_URL'))],
]);

function local(
  prefix: string,
  baseUrl: Definition['baseUrl'],
  create: Definition['create'] = (endpoint) => openAi(endpoint, 'local'),
): Definition {
  return {
    baseUrl,
    baseUrlVariable: `${prefix}_BASE_URL`,
    keyVariables: [`${prefix}_API_KEY`],
    keyRequired: false,
    create,
  };
}

function creatorOf(kind: ProviderKind): Definition['create'] {
  switch (kind) {
    case 'anthropic':
      return anthropic;
    case 'gemini':
      return geminiFrom;
    case 'openai-compatible':
      return (endpoint) => openAi(endpoint, 'router');
  }
}

function named(config: EndpointConfigs[string]): Definition {
  return {
    baseUrl: () => config.baseUrl,
    baseUrlVariable: undefined,
    keyVariables: config.apiKeyEnv === undefined ? [] : [config.apiKeyEnv],
    keyRequired: config.apiKeyEnv !== undefined,
    create: creatorOf(config.kind),
  };
}

function resolve(name: string, definition: Definition, env: Environment): Endpoint {
  const variables = definition.keyVariables.join(' or ');
  const apiKey = definition.keyVariables.map((variable) => read(env, variable)).find((key) => key !== undefined);
  if (definition.keyRequired && apiKey === undefined) {
    throw new TemperedError('authentication', `There is no key for ${name}: ${variables} is not set.`, {
      remedy: `Set ${variables} in the environment of the worker (or of this command), then try again.`,
    });
  }
  const baseUrl = definition.baseUrl(env);
  if (baseUrl === undefined) {
    throw new TemperedError(
      'input',
      `${name} has no address: ${definition.baseUrlVariable ?? 'its base URL'} is not set.`,
      {
        remedy: "Set it to the server's OpenAI-style URL, for example http://localhost:8000/v1.",
      },
    );
  }
  if (!URL.canParse(baseUrl)) {
    const where = definition.baseUrlVariable ?? `${name}'s base URL`;
    throw new TemperedError('input', `${where} is not a URL: ${baseUrl}`, {
      remedy: 'Write it with http:// or https://.',
    });
  }
  return { name, baseUrl, apiKey, keyVariable: variables === '' ? undefined : variables };
}

/** The endpoints this environment and config file describe. Clients are made when first asked for. */
export function createProviderSet({
  env,
  endpoints = {},
  models = {},
  keyVariables = {},
}: ProviderSetOptions): ProviderSet {
  const definitions = new Map(BUILT_IN);
  for (const [name, config] of Object.entries(endpoints)) definitions.set(name, named(config));
  for (const [name, variable] of Object.entries(keyVariables)) {
    const definition = definitions.get(name);
    if (definition !== undefined) definitions.set(name, { ...definition, keyVariables: [variable] });
  }
  const names = [...definitions.keys()];
  const providers = new Map<string, Provider>();
  const usable = ([, definition]: readonly [string, Definition]): boolean =>
    definition.baseUrl(env) !== undefined &&
    (!definition.keyRequired || definition.keyVariables.some((variable) => read(env, variable) !== undefined));
  return {
    names,
    modelInfo: (ref, at) => modelInfo(ref, at, endpoints[ref.provider]?.kind, models),
    cachesPrompts: (name) => CACHING.has(name) || CACHING.has(endpoints[name]?.kind ?? ''),
    cachesBare: ({ provider, model }, bare) => {
      if (provider === 'openai') return cachesBarePrefix(model, bare);
      return provider === 'anthropic' || endpoints[provider]?.kind === 'anthropic' ? marksBare(model, bare) : true;
    },
    available: [...definitions].filter(usable).map(([name]) => name),
    get(name) {
      const existing = providers.get(name);
      if (existing !== undefined) return existing;
      const definition = definitions.get(name);
      if (definition === undefined) {
        throw new TemperedError('input', `There is no provider "${name}".${didYouMean(name, names)}`, {
          remedy: `Providers are ${names.join(', ')}; others can be named in tempered.config.json under "providers".`,
        });
      }
      const provider = definition.create(resolve(name, definition, env), env);
      providers.set(name, provider);
      return provider;
    },
  };
}
