import { formatModelRef } from '../models/modelRef.js';
import type { ModelInfo, ProviderKind } from '../models/types.js';
import { temperatureRange } from '../models/variation.js';
import { TemperedError } from '../task/errors.js';
import type { JsonObject } from '../task/json.js';
import { secretIn } from '../task/secrets.js';
import type { LlmParameters } from './types.js';

/** The provider's name of a sampling parameter; null = its wire has none. */
const NAMES: Readonly<Record<'topP' | 'topK', Readonly<Record<ProviderKind, string>>>> = {
  topP: { anthropic: 'top_p', gemini: 'topP', 'openai-compatible': 'top_p' },
  topK: { anthropic: 'top_k', gemini: 'topK', 'openai-compatible': 'top_k' },
};

/** Where parameters are checked: the model, its wire, and the provider's own parameters they go with. */
export interface ParameterPlace {
  /** What is known of the model. */
  readonly info: ModelInfo;
  /** Its wire. */
  readonly kind: ProviderKind;
  /** The provider's own parameters. */
  readonly params: JsonObject;
}

function refused(message: string, remedy: string): TemperedError {
  return new TemperedError('input', message, { remedy });
}

function checkRange(name: string, value: number, min: number, max: number): void {
  if (Number.isFinite(value) && value >= min && value <= max) return;
  throw refused(`${name} is a number from ${min} to ${max} for this model; not ${value}.`, 'Choose one in that range.');
}

/** The range of temperatures the model takes with these parameters; null = none that is known. */
export function takesTemperature({
  info,
  params,
}: Pick<ParameterPlace, 'info' | 'params'>): { readonly min: number; readonly max: number } | null {
  return temperatureRange(info, params['reasoning_effort']);
}

/** Whether the model takes `topK`. OpenAI itself has no such parameter; servers of open models do. */
function takesTopK(place: ParameterPlace): boolean {
  return takesTemperature(place) !== null && place.info.ref.provider !== 'openai';
}

function notTaken(place: ParameterPlace, name: string): TemperedError {
  const { info } = place;
  const known = info.source === null ? 'is not known to take' : 'takes no';
  return refused(
    `${formatModelRef(info.ref)} ${known} ${name}.`,
    'Leave it out, or say what the model takes in tempered.config under "models".',
  );
}

/**
 * Refuses parameters the model does not take or whose value is outside its range, before anything is sent. Throws
 * `TemperedError` (`input`).
 */
export function checkParameters(parameters: LlmParameters, place: ParameterPlace): void {
  const { temperature, topP, topK, maxOutputTokens } = parameters;
  const range = takesTemperature(place);
  if (temperature !== undefined) {
    if (range === null) throw notTaken(place, 'temperature');
    checkRange('temperature', temperature, range.min, range.max);
  }
  if (topP !== undefined) {
    if (range === null) throw notTaken(place, 'topP');
    checkRange('topP', topP, 0, 1);
  }
  if (topK !== undefined) {
    if (!takesTopK(place)) throw notTaken(place, 'topK');
    if (!Number.isInteger(topK) || topK < 1)
      throw refused(`topK is a whole number from 1; not ${topK}.`, 'Choose one.');
  }
  if (maxOutputTokens === undefined) return;
  const most = place.info.maxOutputTokens ?? Infinity;
  if (!Number.isInteger(maxOutputTokens) || maxOutputTokens < 1 || maxOutputTokens > most) {
    const limit = Number.isFinite(most) ? `a whole number from 1 to ${most} for this model` : 'a whole number from 1';
    throw refused(`maxOutputTokens is ${limit}; not ${maxOutputTokens}.`, 'Choose one in that range.');
  }
}

/**
 * Refuses keys among the provider's own parameters, headers in them included: they would be stored and logged with
 * them. Throws `input`.
 */
export function checkParams(params: JsonObject): void {
  const secret = secretIn(params);
  if (secret === undefined) return;
  throw refused(`A key must not stand among the parameters: ${secret}.`, "Set the provider's variable instead.");
}

/** `topP` and `topK` in the words of a wire. */
export function samplingParams({ topP, topK }: LlmParameters, kind: ProviderKind): JsonObject {
  return {
    ...(topP === undefined ? {} : { [NAMES.topP[kind]]: topP }),
    ...(topK === undefined ? {} : { [NAMES.topK[kind]]: topK }),
  };
}
