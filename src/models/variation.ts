import type { JsonObject } from '../task/json.js';
import type { Variation } from '../task/outcome.js';
import type { Stage } from '../task/spec.js';
import type { EffortRule, ModelInfo } from './types.js';

/** What a stage's variation becomes for a model. */
export interface StageVariation {
  /** What to put into the request. */
  readonly sent: {
    /** Sampling temperature, within the model's range. */
    readonly temperature?: number;
    /** Effort or thinking level. */
    readonly effort?: string;
    /** Append a reworded instruction to the last user turn. */
    readonly reworded?: true;
  };
  /** The same for the outcome, with the stage's own model if it has one. */
  readonly variation: Variation;
}

/** What the choice depends on beside model and stage. */
export interface StagePlace {
  /** The task's provider parameters: `reasoning_effort: none` lets some models take a temperature. */
  readonly params?: JsonObject;
}

/** More thinking than this is not worth it for one record: higher levels are for hours of agentic work. */
const HIGHEST_VARIED_LEVEL = 'high';

/** A level next to the one the model uses anyway: the next higher up to `high`, else the next lower. */
function variedLevel(rule: EffortRule): string | undefined {
  if (rule.standard === null) return rule.levels.includes(HIGHEST_VARIED_LEVEL) ? HIGHEST_VARIED_LEVEL : undefined;
  const position = rule.levels.indexOf(rule.standard);
  const higher = rule.levels.slice(position + 1, rule.levels.indexOf(HIGHEST_VARIED_LEVEL) + 1)[0];
  return higher ?? rule.levels[position - 1];
}

/** The range in which the model takes a temperature in this request; null when it takes none. */
export function temperatureRange(
  info: ModelInfo,
  effort: unknown,
): { readonly min: number; readonly max: number } | null {
  switch (info.sampling.kind) {
    case 'temperature':
    case 'temperature-legacy-api':
      return info.sampling;
    case 'temperature-without-reasoning':
      return effort === 'none' ? info.sampling : null;
    case 'none':
      return null;
  }
}

function choose(info: ModelInfo, stage: Stage, params: JsonObject): StageVariation['sent'] {
  const wanted = stage.effort !== undefined && info.effort?.levels.includes(stage.effort) ? stage.effort : undefined;
  const effort = wanted === undefined ? {} : { effort: wanted };
  if (stage.temperature === undefined) return effort;
  const range = temperatureRange(info, wanted ?? params['reasoning_effort']);
  if (range !== null) {
    return { ...effort, temperature: Math.min(Math.max(stage.temperature, range.min), range.max) };
  }
  // Temperature 0 is a wish for the model's plain answer: that is what it gives when nothing is sent.
  if (stage.temperature === 0 || wanted !== undefined) return effort;
  const varied = info.effort === null ? undefined : variedLevel(info.effort);
  return varied === undefined ? { reworded: true } : { effort: varied };
}

/**
 * Turns a stage's wish into what its model can do: a temperature where it works, else another effort or thinking
 * level, else a reworded instruction.
 */
export function variationFor(info: ModelInfo, stage: Stage, place: StagePlace = {}): StageVariation {
  const sent = choose(info, stage, place.params ?? {});
  return { sent, variation: { ...sent, ...(stage.model === undefined ? {} : { model: stage.model }) } };
}
