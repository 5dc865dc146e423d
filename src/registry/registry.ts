import { z } from 'zod';
import type { Environment } from '../caching/environments.js';
import { formatModelRef, parseModelRef } from '../models/modelRef.js';
import type { ModelInfo, ModelRef } from '../models/types.js';
import type { ToolChoice, ToolSpec } from '../providers/turns.js';
import type { ProviderSet } from '../providers/types.js';
import { TemperedError } from '../task/errors.js';
import type { JsonObject } from '../task/json.js';
import { type OptimizationConfig, type OptimizationOptions, optimizationLayerSchema } from '../task/optimization.js';
import { EnhancedLlm, type EnhancedOptions } from './enhanced.js';
import { given, type HandleParts, PlainLlm } from './handle.js';
import { ENHANCED_BY_DEFAULT, isEnhanced } from './mode.js';
import { ModelLists } from './modelList.js';
import {
  type OptimizationLog,
  type OptimizationSource,
  PROCESS_LOG,
  PromptCaching,
  settle,
  type Settled,
} from './optimization.js';
import type { Llm, LlmParameters } from './types.js';

/** Which model, which kind of handle, and what every call of it sends. */
export interface GetLlmOptions extends LlmParameters, EnhancedOptions {
  /** The endpoint. Default: the part of `model` before its first slash. */
  readonly provider?: string | undefined;
  /** The model's name; `provider/model` without `provider`. Default: `defaultModel` of `tempered.config`. */
  readonly model?: string | undefined;
  /** true = enhanced, false = plain. Default: `TEMPERED_ENHANCED`, else the release's default. */
  readonly enhanced?: boolean | undefined;
  /** The provider's own parameters, passed through with every call. */
  readonly params?: JsonObject | undefined;
  /**
   * How its prompts are made cheaper; wins over what `tempered.config` says of purpose, service and provider. `false` =
   * not at all. Default: as the file says; where it says nothing, not at all.
   */
  readonly optimization?: OptimizationOptions | false | undefined;
  /** The service it works for: a name under `services` of an environment. Default none. */
  readonly service?: string | undefined;
  /** What it is used for: a name under `purposes` of an environment. Default none. */
  readonly purpose?: string | undefined;
}

/** Handles made so far. */
export interface HandleCounts {
  /** Enhanced ones. */
  readonly enhanced: number;
  /** Plain ones. */
  readonly plain: number;
  /** Share of enhanced ones; null = none was made yet. */
  readonly enhancedShare: number | null;
}

/** What a registry is made of. */
export interface RegistryParts {
  /** The endpoints. */
  readonly providers: ProviderSet;
  /** Where the choice of the kind of handle may be. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The model of handles that name none, `provider/model`. */
  readonly defaultModel: string | undefined;
  /** What holds when nobody chooses the kind. Default: the release's. */
  readonly enhancedByDefault?: boolean;
  /** How prompts are made cheaper, by provider, service and purpose. Default: as each handle asks. */
  readonly environment?: Environment | undefined;
  /** Where faults of that are told. Default: warnings of the process. */
  readonly log?: OptimizationLog | undefined;
}

/** Of a handle whose prompts go out as they are, wherever it is made again. */
const PLAIN: Settled = { optimization: false };

const toolSchema = z.strictObject({
  name: z.string(),
  description: z.string().optional(),
  parameters: z.record(z.string(), z.json()),
});

const descriptionSchema = z.strictObject({
  provider: z.string(),
  model: z.string(),
  enhanced: z.boolean(),
  temperature: z.number().optional(),
  topP: z.number().optional(),
  topK: z.number().optional(),
  maxOutputTokens: z.number().optional(),
  params: z.record(z.string(), z.json()).optional(),
  tools: z.array(toolSchema).optional(),
  toolChoice: z.union([z.enum(['auto', 'none', 'required']), z.strictObject({ name: z.string() })]).optional(),
  contextBudget: z.number().optional(),
  optimization: z.union([z.literal(false), optimizationLayerSchema]).optional(),
  service: z.string().optional(),
  purpose: z.string().optional(),
});

/** The models of an environment, as handles to talk to. Making one asks nobody: no request is sent. */
export class Registry {
  private readonly lists: ModelLists;
  private made = { enhanced: 0, plain: 0 };
  private readonly cachings = new Map<string, PromptCaching>();
  private readonly told = new Set<string>();

  constructor(private readonly parts: RegistryParts) {
    this.lists = new ModelLists(parts.providers);
  }

  /**
   * A handle of a model. Throws `TemperedError`: `input` for an unknown provider, no model, or parameters the model does
   * not take; `authentication` for a key that is not set.
   */
  getLlm(options: GetLlmOptions & { readonly enhanced: true }): EnhancedLlm;
  /** A handle of the kind that was chosen. */
  getLlm(options?: GetLlmOptions): Llm;
  getLlm(options: GetLlmOptions = {}): Llm {
    const { env, enhancedByDefault = ENHANCED_BY_DEFAULT } = this.parts;
    const ref = this.refOf(options);
    return this.make(ref, options, { enhanced: isEnhanced(options.enhanced, { env, enhancedByDefault }) });
  }

  /** A handle as `toJSON` described it, with the keys of this environment. Throws like {@link Registry.getLlm}. */
  fromJSON(description: unknown): Llm {
    const read = descriptionSchema.safeParse(description);
    if (!read.success) {
      const [issue] = read.error.issues;
      const where = issue?.path.join('.') ?? '';
      throw new TemperedError('input', `That describes no handle: ${where} ${issue?.message ?? ''}`.trim(), {
        remedy: "Give what a handle's toJSON() gave.",
      });
    }
    const { provider, model, enhanced, tools = [], toolChoice, ...rest } = read.data;
    return this.make({ provider, model }, rest, { enhanced, tools, toolChoice });
  }

  /**
   * Asks the endpoint whether it has a model, `provider/model`; its list is kept for a minute. Returns the model, or with
   * `fallback: true` the default one when there is no such model. Throws {@link ModelNotFoundError}, which names what
   * there is, and `TemperedError` for an endpoint that does not answer.
   */
  validateModel(model: string, options: { readonly fallback?: boolean } = {}): Promise<string> {
    const { defaultModel } = this.parts;
    const fallback = options.fallback === true && defaultModel !== undefined ? parseModelRef(defaultModel) : undefined;
    return this.lists.resolve(parseModelRef(model), fallback);
  }

  /** The model ids an endpoint lists; kept for a minute. Throws `TemperedError`. */
  listModels(provider: string): Promise<readonly string[]> {
    return this.lists.list(provider);
  }

  /** How many handles of each kind were made. */
  get handleCounts(): HandleCounts {
    const { enhanced, plain } = this.made;
    const all = enhanced + plain;
    return { enhanced, plain, enhancedShare: all === 0 ? null : enhanced / all };
  }

  private make(
    ref: ModelRef,
    options: GetLlmOptions,
    kind: {
      readonly enhanced: boolean;
      readonly tools?: readonly ToolSpec[];
      readonly toolChoice?: ToolChoice | undefined;
    },
  ): Llm {
    const { providers } = this.parts;
    const provider = providers.get(ref.provider);
    const { params = {}, contextBudget, onWarning, optimization } = options;
    const source = this.sourceOf(ref, options);
    const parts: HandleParts = {
      provider,
      info: (): ModelInfo => providers.modelInfo(ref, new Date()),
      parameters: given(options),
      params,
      tools: kind.tools ?? [],
      toolChoice: kind.toolChoice,
      source,
    };
    const handle = (changes: Partial<HandleParts>): PlainLlm =>
      kind.enhanced
        ? new EnhancedLlm({ ...parts, ...changes }, { contextBudget, onWarning })
        : new PlainLlm({ ...parts, ...changes });
    // What can't be read gives a plain handle, and one that stays plain.
    const settled = (optimization === false ? undefined : settle(provider, source, optimization)) ?? PLAIN;
    const llm = handle(settled.caching === undefined ? settled : { ...settled, base: handle(PLAIN) });
    this.made[kind.enhanced ? 'enhanced' : 'plain'] += 1;
    return llm;
  }

  private sourceOf(ref: ModelRef, { service = '', purpose = '' }: GetLlmOptions): OptimizationSource {
    const { env, environment, log = PROCESS_LOG } = this.parts;
    const use = [formatModelRef(ref), purpose].join(':');
    const place = `${use}:${service}`;
    const caching = (config: OptimizationConfig): PromptCaching => {
      const key = `${place}:${JSON.stringify(config)}`;
      const made = this.cachings.get(key) ?? new PromptCaching(config, log, this.parts.providers);
      this.cachings.set(key, made);
      return made;
    };
    // A handle may be made for every call; what is wrong with all of them is told once.
    const warn = (line: string): void => {
      if (!this.told.has(line)) log.warn(line);
      this.told.add(line);
    };
    const supported = this.parts.providers.cachesPrompts(ref.provider);
    // A service is in or out as a whole; handles without one go by what tells them apart.
    const rolloutKey = service === '' ? use : service;
    return { environment, env, supported, service, purpose, rolloutKey, log: { ...log, warn }, caching };
  }

  private refOf({ provider, model }: GetLlmOptions): ModelRef {
    if (provider !== undefined && model !== undefined) return { provider, model };
    const named = model ?? this.parts.defaultModel;
    const remedy = 'Give model: "provider/model", or set defaultModel in tempered.config.';
    if (named === undefined)
      throw new TemperedError('input', 'No model is named, and there is no default one.', { remedy });
    const ref = parseModelRef(named);
    if (provider === undefined || provider === ref.provider) return ref;
    throw new TemperedError('input', `No model of ${provider} is named, and the default one is ${named}.`, { remedy });
  }
}
