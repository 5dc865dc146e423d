import { z } from 'zod';
import type { ToolChoice, ToolSpec, Turn } from '../providers/turns.js';
import type { ModelRequest, Provider } from '../providers/types.js';
import type { ModelInfo } from '../models/types.js';
import { cacheStatistics, type CacheStatistics } from '../caching/statistics.js';
import type { JsonObject } from '../task/json.js';
import type { OptimizationOptions } from '../task/optimization.js';
import { type AskPlace, askOnce } from './ask.js';
import { channel } from './channel.js';
import { type OptimizationSource, settle, type Settled } from './optimization.js';
import { checkParameters, checkParams, samplingParams } from './parameters.js';
import { type AnswerForm, jsonForm, structured, zodForm } from './structured.js';
import type {
  InvokeOptions,
  Llm,
  LlmAnswer,
  LlmChunk,
  LlmDescription,
  LlmInput,
  LlmParameters,
  StructuredLlm,
} from './types.js';

const DEFAULT_MAX_OUTPUT_TOKENS = 1024;
const DEFAULT_TIMEOUT_MS = 120_000;

/** What a handle is made of. */
export interface HandleParts extends Settled {
  /** The endpoint. */
  readonly provider: Provider;
  /** What is known of the model now. */
  readonly info: () => ModelInfo;
  /** Parameters of every call. */
  readonly parameters: LlmParameters;
  /** The provider's own parameters of every call. */
  readonly params: JsonObject;
  /** Tools the model may ask for. */
  readonly tools: readonly ToolSpec[];
  /** How they are chosen. */
  readonly toolChoice: ToolChoice | undefined;
  /** What decides how its prompts are made cheaper. */
  readonly source: OptimizationSource;
  /** The handle this one was made of by marking its prompts. */
  readonly base?: PlainLlm | undefined;
}

/** The conversation without its system turns, and these as instructions. */
export function conversation(input: LlmInput): {
  readonly instructions: string | undefined;
  readonly turns: readonly Turn[];
} {
  if (typeof input === 'string') return { instructions: undefined, turns: [{ role: 'user', content: input }] };
  const instructions = input.flatMap((turn) => (turn.role === 'system' ? [turn.content] : [])).join('\n\n');
  const turns = input.flatMap((turn) => (turn.role === 'system' ? [] : [turn]));
  return { instructions: instructions === '' ? undefined : instructions, turns };
}

/** Parameters that were given; undefined ones are left out, so that they cover nothing. */
export function given(parameters: LlmParameters): LlmParameters {
  const { temperature, topP, topK, maxOutputTokens } = parameters;
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(topK === undefined ? {} : { topK }),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
  };
}

function sameParameters(a: LlmParameters, b: LlmParameters): boolean {
  return JSON.stringify(given(a)) === JSON.stringify(given(b));
}

/** A handle without extras: what every handle does. */
export class PlainLlm implements Llm {
  /** False: see `EnhancedLlm`. */
  readonly isEnhanced: boolean = false;

  constructor(protected readonly parts: HandleParts) {
    checkParams(parts.params);
    checkParameters(parts.parameters, { info: parts.info(), kind: parts.provider.kind, params: parts.params });
  }

  /** The endpoint. */
  get provider(): string {
    return this.parts.provider.name;
  }

  /** The model's name there. */
  get model(): string {
    return this.parts.info().ref.model;
  }

  /** Whether its prompts are marked for the provider's cache. */
  get isOptimized(): boolean {
    return this.parts.caching !== undefined;
  }

  /** The handle without optimization, with the parameters in force; of one without, itself. */
  get baseModel(): PlainLlm {
    const { base } = this.parts;
    if (base === undefined) return this;
    const parameters = this.current();
    return sameParameters(base.current(), parameters) ? base : base.remade({ parameters });
  }

  /** What caching was to do for the handles of this model, service and purpose, and did. */
  getCacheStats(): CacheStatistics {
    return this.parts.caching?.statistics ?? cacheStatistics([]);
  }

  /** Counts from nothing again, for all of them. */
  resetCacheStats(): void {
    this.parts.caching?.reset();
  }

  /** See `optimize`. */
  optimized(config?: OptimizationOptions): PlainLlm {
    const cached = this.cachedBy(config);
    return cached === undefined ? this : this.remade(cached);
  }

  /** Asks once, without retries: see `Llm`. Throws `LlmError`, or `input` for parameters the model takes not. */
  async invoke(input: LlmInput, options: InvokeOptions = {}): Promise<LlmAnswer> {
    return this.ask(this.request(input, options, undefined), options);
  }

  /** The same, streamed. Who stops reading ends the request. */
  stream(input: LlmInput, options: InvokeOptions = {}): AsyncGenerator<LlmChunk, void, undefined> {
    return this.streamed(this.request(input, options, undefined), options);
  }

  /** A handle whose answers fit a zod schema, or a JSON Schema. */
  withStructuredOutput<S extends z.ZodType>(schema: S): StructuredLlm<z.output<S>>;
  /** A handle whose answers fit a zod schema, or a JSON Schema. */
  withStructuredOutput(schema: JsonObject): StructuredLlm<unknown>;
  withStructuredOutput(schema: z.ZodType | JsonObject): StructuredLlm<unknown> {
    return this.answering(schema instanceof z.ZodType ? zodForm(schema) : jsonForm(schema));
  }

  /** The same handle, which may ask for tools. */
  bindTools(tools: readonly ToolSpec[], choice?: ToolChoice): PlainLlm {
    return this.remade(this.withTools(tools, choice));
  }

  /** The handle as data, without keys. */
  toJSON(): LlmDescription {
    const { params, tools, toolChoice, optimization, source } = this.parts;
    const { service, purpose } = source;
    return {
      provider: this.provider,
      model: this.model,
      enhanced: this.isEnhanced,
      ...given(this.current()),
      ...(Object.keys(params).length === 0 ? {} : { params }),
      ...(tools.length === 0 ? {} : { tools }),
      ...(toolChoice === undefined ? {} : { toolChoice }),
      ...(optimization === undefined ? {} : { optimization }),
      ...(service === '' ? {} : { service }),
      ...(purpose === '' ? {} : { purpose }),
    };
  }

  /** A handle of the same kind with some parts changed. */
  protected remade(changes: Partial<HandleParts>): PlainLlm {
    return new PlainLlm({ ...this.parts, ...changes });
  }

  /** The parts of a handle that may ask for tools. */
  protected withTools(tools: readonly ToolSpec[], toolChoice: ToolChoice | undefined): Partial<HandleParts> {
    return { tools, toolChoice, base: this.parts.base?.bindTools(tools, toolChoice) };
  }

  /** The parts that change for a handle that is asked for this; undefined = none, since it can't be read. */
  protected cachedBy(asked: OptimizationOptions | undefined): Partial<HandleParts> | undefined {
    const { provider, source } = this.parts;
    const settled = settle(provider, source, asked);
    if (settled === undefined) return undefined;
    return { ...settled, base: settled.caching === undefined ? undefined : this.baseModel };
  }

  /** The parameters in force. */
  protected current(): LlmParameters {
    return this.parts.parameters;
  }

  /** Looks at a request before it is sent. A plain handle has nothing to say. */
  protected beforeSend(_request: ModelRequest): void {
    return;
  }

  private answering<T>(form: AnswerForm<T>): StructuredLlm<T> {
    return {
      invoke: async (input, options = {}) =>
        structured(await this.ask(this.request(input, options, form.schema), options), form),
    };
  }

  /** The request of a call. Throws `input` for parameters the model does not take. */
  private request(input: LlmInput, options: InvokeOptions, schema: JsonObject | undefined): ModelRequest {
    const { provider, tools, toolChoice } = this.parts;
    const { kind } = provider;
    const info = this.parts.info();
    const parameters = { ...this.current(), ...given(options) };
    const params = { ...this.parts.params, ...options.params };
    checkParams(params);
    checkParameters(parameters, { info, kind, params });
    const { instructions, turns } = conversation(input);
    const request: ModelRequest = {
      model: info.ref.model,
      instructions,
      messages: turns,
      ...(tools.length === 0 ? {} : { tools }),
      ...(toolChoice === undefined ? {} : { toolChoice }),
      schema,
      maxOutputTokens:
        parameters.maxOutputTokens ?? Math.min(DEFAULT_MAX_OUTPUT_TOKENS, info.maxOutputTokens ?? Infinity),
      temperature: parameters.temperature,
      effort: undefined,
      cachePrefix: false,
      params: { ...params, ...samplingParams(parameters, kind) },
      timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    };
    return this.parts.caching?.marked(request, info) ?? request;
  }

  private ask(request: ModelRequest, { signal = new AbortController().signal }: InvokeOptions): Promise<LlmAnswer> {
    this.beforeSend(request);
    return askOnce(request, this.place(signal));
  }

  private place(signal: AbortSignal): AskPlace {
    const { provider, info, caching } = this.parts;
    return { provider, info: info(), signal, caching };
  }

  private async *streamed(request: ModelRequest, { signal }: InvokeOptions): AsyncGenerator<LlmChunk, void, undefined> {
    this.beforeSend(request);
    const left = new AbortController();
    const place = this.place(signal === undefined ? left.signal : AbortSignal.any([signal, left.signal]));
    try {
      yield* channel<LlmChunk>(async (put) => {
        const answer = await askOnce(request, { ...place, onText: (text) => put({ type: 'text', text }) });
        put({ type: 'answer', answer });
      });
    } finally {
      // Who stops reading wants nothing more.
      left.abort();
    }
  }
}
