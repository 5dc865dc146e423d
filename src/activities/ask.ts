import { worstCaseNano } from '../models/cost.js';
import { parseModelRef } from '../models/modelRef.js';
import { promptBytes } from '../models/promptBytes.js';
import type { ModelInfo } from '../models/types.js';
import { variationFor } from '../models/variation.js';
import { type CacheInput, type CachePlan, planCache, staticTurns, withoutMarks } from '../caching/breakpoints.js';
import type { PromptTokens } from '../limits/types.js';
import type { PromptRequest, ProviderSet } from '../providers/types.js';
import { currentStage } from '../recovery/ladder.js';
import { stageRequest } from '../recovery/request.js';
import type { RetryStateData } from '../recovery/types.js';
import type { Control, StoredRecord } from '../store/types.js';
import type { BatchCache } from '../task/cachePlan.js';
import { TemperedError } from '../task/errors.js';
import type { Json, JsonObject } from '../task/json.js';
import type { StageKind, Variation } from '../task/outcome.js';
import { renderRecord } from '../task/render.js';
import { type Caching, ownCaching, planned } from './caching.js';
import type { WorkerTask } from './context.js';

/** Everything that is decided about a prompt before it may be sent. */
export interface Ask {
  /** `provider/model`. */
  readonly model: string;
  /** The endpoint's name. */
  readonly provider: string;
  /** What is known of the model. */
  readonly info: ModelInfo;
  /** 1-based rung. */
  readonly stage: number;
  /** Whole answer, or only the failed fields. */
  readonly kind: StageKind;
  /** What was really sent to make the stage differ. */
  readonly variation: Variation;
  /** What the provider is sent. */
  readonly request: PromptRequest;
  /** Valid fields of earlier prompts that this one completes. */
  readonly kept: JsonObject | null;
  /** Whether its prefix is cached, and why; null where that could not be planned. */
  readonly caching: CachePlan | null;
  /** Worst case in nano-dollars; null = price unknown. */
  readonly worstNano: number | null;
  /** Guess for the gate's token buckets, corrected by real usage. */
  readonly tokens: PromptTokens;
}

/** Where a prompt stands: its record, state and the batch's settings. */
export interface AskInput {
  /** The task. */
  readonly task: WorkerTask;
  /** The record. */
  readonly record: StoredRecord;
  /** State before this prompt. */
  readonly state: RetryStateData;
  /** Kept fields, read from the journal when history has only a reference. */
  readonly kept: JsonObject | null;
  /** What the batch allows now. */
  readonly control: Control;
  /** Result of `prepare()`. */
  readonly prepared: Json | undefined;
  /** Endpoints, for what is known of their models. */
  readonly endpoints: Pick<ProviderSet, 'modelInfo' | 'cachesPrompts' | 'cachesBare'>;
  /** How its prefix is cached, and how many prompts share it. Default: as the task says, in a batch of any size. */
  readonly cache?: Caching;
  /** The time prices are read at. */
  readonly now: Date;
}

/** Share of the output cap an answer uses on average: only a first guess, usage corrects it. */
const EXPECTED_OUTPUT_SHARE = 0.25;

/** Builds the stage's request for the model in force. Pure. Throws `input` for a prompt that can't be rendered. */
export function buildAsk(input: AskInput): Ask {
  const { task, record, state, control, kept } = input;
  const stage = currentStage(task.plan, state);
  const model = control.model ?? stage.model ?? task.spec.model;
  const ref = parseModelRef(model);
  const info = input.endpoints.modelInfo(ref, input.now);
  const chosen = variationFor(info, stage, { params: task.spec.params });
  const rendered = record.rendered ?? renderRecord(promptOf(task), record.input, { prepared: input.prepared ?? null });
  const reworded = chosen.sent.reworded === true;
  const full = stageRequest({ spec: task.spec, stage, rendered, kept, issues: state.issues, reworded });
  const decided = control.cache;
  const asked = decided?.marksDiffer === true ? { ...full, messages: withoutMarks(full.messages) } : full;
  const cache = input.cache ?? ownCaching(task.spec);
  const caching = planned(cache, () =>
    planCache({
      config: cache.config,
      info,
      ...asked,
      params: task.spec.params,
      staticTurns: staticTurns(task.spec),
      // Partial prompts too: a batch has few combinations of failed fields, and each is a prefix of its own.
      prompts: cache.prompts,
      supported: input.endpoints.cachesPrompts(ref.provider),
      cachesBare: (bare) => input.endpoints.cachesBare(ref, bare),
      counted: countedIn(decided, model),
    }),
  );
  const marks = caching?.marks;
  const request: PromptRequest = {
    model: ref.model,
    instructions: asked.instructions,
    messages: asked.messages,
    schema: asked.schema,
    // A truncation may have raised it past what the model gives.
    maxOutputTokens: Math.min(state.maxOutputTokens, info.maxOutputTokens ?? Infinity),
    temperature: chosen.sent.temperature,
    effort: chosen.sent.effort,
    cachePrefix: marks !== undefined,
    cacheMarks: marks,
    explicitCache: cache.config.enabled && decided?.model === model ? decided.explicit : undefined,
    params: task.spec.params,
    timeoutMs: task.plan.promptTimeoutMs,
  };
  const bytes = promptBytes({ ...asked, params: request.params });
  return {
    model,
    provider: ref.provider,
    info,
    stage: state.stage + 1,
    kind: asked.kind,
    variation: model === task.spec.model ? chosen.variation : { ...chosen.variation, model },
    request,
    kept: asked.kind === 'partial' ? kept : null,
    caching: caching ?? null,
    worstNano: worstCaseNano(info, bytes, request.maxOutputTokens),
    tokens: { input: Math.ceil(bytes / 4), output: Math.ceil(request.maxOutputTokens * EXPECTED_OUTPUT_SHARE) },
  };
}

/** What a batch's prompts are cached by, as its first one was planned. Throws `invalid_request` where that failed. */
export function cacheOf({ model, caching }: Ask, countedBy: BatchCache['countedBy']): BatchCache {
  if (caching === null) throw new TemperedError('invalid_request', 'The prompt cache could not be planned.');
  return { model, prefix: caching.prefix, countedBy, decision: caching.decision };
}

/** The same with the provider's count of the prefix, for the decision to be made anew with. */
export function withTokens(cache: BatchCache, prefixTokens: number): BatchCache {
  return { ...cache, countedBy: 'provider', decision: { ...cache.decision, prefixTokens } };
}

/** The prefix a batch's provider counted for this model; undefined when it was estimated: each model counts otherwise. */
function countedIn(cache: Control['cache'], model: string): CacheInput['counted'] {
  if (cache?.countedBy !== 'provider' || cache.model !== model) return undefined;
  return { prefix: cache.prefix, tokens: cache.decision.prefixTokens };
}

/** What renders a record: the module's prompt function, else the template. */
function promptOf(task: WorkerTask) {
  return task.module ?? { spec: task.spec, load: {} };
}
