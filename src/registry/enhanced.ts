import { MEDIA_TOKENS } from '../models/mediaTokens.js';
import { estimateTokens } from '../caching/breakpoints.js';
import { formatModelRef } from '../models/modelRef.js';
import type { Capability, ModelInfo, PriceBand } from '../models/types.js';
import type { ToolChoice, ToolSpec } from '../providers/turns.js';
import type { ModelRequest } from '../providers/types.js';
import { TemperedError } from '../task/errors.js';
import type { JsonObject } from '../task/json.js';
import type { OptimizationOptions } from '../task/optimization.js';
import type { Usage } from '../task/usage.js';
import { usdOf } from './ask.js';
import { conversation, given, type HandleParts, PlainLlm } from './handle.js';
import { checkParameters, takesTemperature } from './parameters.js';
import type { LlmDescription, LlmInput, LlmParameters } from './types.js';

/** Share of the context above which a prompt is warned of. */
const DEFAULT_CONTEXT_BUDGET = 0.8;

/** What is known of a handle's model. Null = unknown, never zero. */
export interface LlmMetadata {
  /** Largest whole prompt, tokens. */
  readonly contextLength: number | null;
  /** Most tokens of one answer. */
  readonly maxOutputTokens: number | null;
  /** What it can do beside text: `reasoning`, `function_calling`, `multimodal`, `vision`, `audio`, `video`, in this order. */
  readonly capabilities: readonly Capability[] | null;
  /** USD per million tokens now, by rising prompt size. */
  readonly prices: readonly PriceBand[] | null;
  /** The same through the Batch API. */
  readonly batchPrices: readonly PriceBand[] | null;
  /** What it knows of the world ends here. */
  readonly knowledgeCutoff: string | null;
  /** The temperatures it takes; null = none that is known. */
  readonly temperature: { readonly min: number; readonly max: number } | null;
  /** Smallest prefix that is cached, tokens. */
  readonly cacheMinimum: number | null;
  /** Where the numbers come from. */
  readonly source: string | null;
}

/** How much of the context a prompt takes. */
export interface ContextUse {
  /** Estimated tokens of the prompt. */
  readonly tokens: number;
  /** Share of the context; null when the context is unknown. */
  readonly share: number | null;
  /** Whether it is above the handle's budget. */
  readonly over: boolean;
}

/** What an enhanced handle is made of beside {@link HandleParts}. */
export interface EnhancedOptions {
  /** Share of the context above which a prompt is warned of. Default 0.8. */
  readonly contextBudget?: number | undefined;
  /** Told of a prompt above it. Default: a warning of the process. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

function warn(message: string): void {
  process.emitWarning(message, { type: 'TemperedWarning', code: 'TEMPERED_CONTEXT_BUDGET' });
}

/** Stands for an image or PDF: as many words as it has tokens, whatever its bytes. */
const MEDIA_WORDS = 'abc '.repeat(MEDIA_TOKENS);

/** Everything of a prompt that becomes tokens, as text. */
function textOf(instructions: string | undefined, turns: ModelRequest['messages'], more: readonly object[]): string {
  const said = turns.map(({ content }) =>
    typeof content === 'string'
      ? content
      : content.map((part) => (part.type === 'text' ? part.text : MEDIA_WORDS)).join('\n'),
  );
  const parts = [instructions ?? '', ...said, ...more.map((part) => JSON.stringify(part))];
  return parts.filter((part) => part !== '').join('\n');
}

/** A handle that knows its model: metadata, parameters that stay, cost, and a warning before the context is full. */
export class EnhancedLlm extends PlainLlm {
  /** True. */
  override readonly isEnhanced = true;
  private own: LlmParameters;

  constructor(
    parts: HandleParts,
    private readonly options: EnhancedOptions,
  ) {
    super(parts);
    const { contextBudget } = options;
    if (contextBudget !== undefined && !(contextBudget > 0 && contextBudget <= 1)) {
      throw new TemperedError('input', `contextBudget is a share of the context, above 0 to 1; not ${contextBudget}.`);
    }
    this.own = given(parts.parameters);
  }

  /** The handle without optimization, with the parameters that were set; of one without, itself. */
  override get baseModel(): EnhancedLlm {
    const base = super.baseModel;
    return base instanceof EnhancedLlm ? base : this;
  }

  /** What is known of the model now. */
  get metadata(): LlmMetadata {
    const info = this.info;
    return {
      contextLength: info.contextTokens,
      maxOutputTokens: info.maxOutputTokens,
      capabilities: info.capabilities,
      prices: info.prices,
      batchPrices: info.batchPrices,
      knowledgeCutoff: info.knowledgeCutoff,
      temperature: takesTemperature({ info, params: this.parts.params }),
      cacheMinimum: info.minCacheTokens,
      source: info.source,
    };
  }

  /** Parameters of every call from now on; a call's own win. */
  get parameters(): LlmParameters {
    return this.own;
  }

  /**
   * Sets parameters that stay; undefined takes one back. Throws `input` for one the model does not take, or out of its
   * range: then nothing is changed.
   */
  set(parameters: LlmParameters): this {
    const next = given({ ...this.own, ...parameters });
    checkParameters(next, { info: this.info, kind: this.parts.provider.kind, params: this.parts.params });
    this.own = next;
    return this;
  }

  /** The provider's own parameters of every call. */
  get params(): JsonObject {
    return this.parts.params;
  }

  /**
   * What a call would cost without caches, in USD; null when the price is unknown. `input` is a prompt, whose tokens
   * are estimated at four characters each, or a number of tokens.
   */
  estimateCost(input: LlmInput | number, outputTokens: number): number | null {
    const inputTokens = typeof input === 'number' ? input : this.contextUse(input).tokens;
    const none = { cachedInputTokens: 0, cacheWriteTokens: 0, cacheWrite1hTokens: 0, thinkingTokens: 0 };
    const usage: Usage = { inputTokens, outputTokens, ...none };
    return usdOf(this.info, usage);
  }

  /** How much of the context a prompt takes, estimated. */
  contextUse(input: LlmInput): ContextUse {
    const { instructions, turns } = conversation(input);
    return this.useOf(textOf(instructions, turns, this.parts.tools));
  }

  /** The same handle, which may ask for tools; it keeps the parameters that were set. */
  override bindTools(tools: readonly ToolSpec[], choice?: ToolChoice): EnhancedLlm {
    return this.remade(this.withTools(tools, choice));
  }

  /** See `optimize`. */
  override optimized(config?: OptimizationOptions): EnhancedLlm {
    const cached = this.cachedBy(config);
    return cached === undefined ? this : this.remade(cached);
  }

  /** The handle as data, without keys. */
  override toJSON(): LlmDescription {
    const { contextBudget } = this.options;
    return { ...super.toJSON(), ...(contextBudget === undefined ? {} : { contextBudget }) };
  }

  /** A handle of the same kind with some parts changed; it keeps the parameters that were set. */
  protected override remade(changes: Partial<HandleParts>): EnhancedLlm {
    return new EnhancedLlm({ ...this.parts, parameters: this.own, ...changes }, this.options);
  }

  /** The parameters that were set. */
  protected override current(): LlmParameters {
    return this.own;
  }

  /** Warns of a prompt above the budget. */
  protected override beforeSend({ instructions, messages, tools, schema }: ModelRequest): void {
    const { tokens, share, over } = this.useOf(
      textOf(instructions, messages, [...(tools ?? []), ...(schema === undefined ? [] : [schema])]),
    );
    if (!over || share === null) return;
    const { onWarning = warn } = this.options;
    const percent = Math.round(share * 100);
    onWarning(
      `A prompt of about ${tokens} tokens takes ${percent} % of the context of ${formatModelRef(this.info.ref)}.`,
    );
  }

  private get info(): ModelInfo {
    return this.parts.info();
  }

  private useOf(text: string): ContextUse {
    const tokens = estimateTokens(text);
    const { contextTokens } = this.info;
    const share = contextTokens === null ? null : tokens / contextTokens;
    return { tokens, share, over: share !== null && share > (this.options.contextBudget ?? DEFAULT_CONTEXT_BUDGET) };
  }
}
