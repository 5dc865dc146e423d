import type { JsonObject } from '../../task/json.js';
import type { Scenario } from '../scenario.js';
import { scenarioModels } from './models.js';
import { Refused, type Call, type HttpReply } from './types.js';

/** Models on the simulated machine when the scenario names none. The first is loaded. */
const STANDARD_MODELS = ['qwen3-8b', 'gemma-3-4b-it'];

const CONTEXT_TOKENS = 32_768;

/** A model on the machine. */
export interface LocalModel {
  /** Its name in requests. */
  readonly key: string;
  /** Whether it is in memory. */
  readonly loaded: boolean;
}

/** LM Studio's models: the scenario's, all loaded, else two, one of them loaded. */
export function lmStudioNative(scenario: Scenario): readonly LocalModel[] {
  const named = scenarioModels(scenario, 'lmstudio');
  if (named.length > 0) return named.map((key) => ({ key, loaded: true }));
  return STANDARD_MODELS.map((key, i) => ({ key, loaded: i === 0 }));
}

/**
 * The model that answers. With exactly one model on the machine LM Studio lets it answer whatever was asked for, without
 * a word; several are taken as loaded on demand, by any name when the scenario names none.
 */
export function loadedModel(scenario: Scenario, asked: string): string {
  const named = scenarioModels(scenario, 'lmstudio');
  const [only] = named;
  if (only !== undefined && named.length === 1) return only;
  if (named.length === 0 || named.includes(asked)) return asked;
  throw new Refused({
    status: 400,
    headers: {},
    body: {
      error: {
        message: `Failed to load model "${asked}". Error: Model not found`,
        type: 'invalid_request_error',
        param: 'model',
        code: null,
      },
    },
  });
}

function currentBody({ key, loaded }: LocalModel): JsonObject {
  return {
    type: 'llm',
    publisher: 'simulator',
    key,
    display_name: key,
    quantization: { name: 'Q4_K_M', bits_per_weight: 4 },
    size_bytes: 4_000_000_000,
    loaded_instances: loaded ? [{ id: key, config: { context_length: CONTEXT_TOKENS, parallel: 4 } }] : [],
    max_context_length: CONTEXT_TOKENS,
    format: 'gguf',
    capabilities: { vision: false, trained_for_tool_use: true },
  };
}

function olderBody({ key, loaded }: LocalModel): JsonObject {
  return {
    id: key,
    object: 'model',
    type: 'llm',
    publisher: 'simulator',
    arch: 'llama',
    compatibility_type: 'gguf',
    quantization: 'Q4_K_M',
    state: loaded ? 'loaded' : 'not-loaded',
    max_context_length: CONTEXT_TOKENS,
  };
}

/** LM Studio's own lists of models; null for any other path. */
export function nativeReply(call: Call): HttpReply | null {
  if (call.method !== 'GET') return null;
  const models = lmStudioNative(call.scenario);
  switch (call.path) {
    case '/api/v1/models':
      return { status: 200, headers: {}, body: { models: models.map(currentBody) } };
    case '/api/v0/models':
      return { status: 200, headers: {}, body: { object: 'list', data: models.map(olderBody) } };
    default:
      return null;
  }
}
