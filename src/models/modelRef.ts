import { TemperedError } from '../task/errors.js';
import { knownModels } from './catalog.js';
import { didYouMean } from '../task/nearest.js';
import type { ModelRef } from './types.js';

/** Splits `provider/model` at the first slash. Throws `TemperedError` (`input`) when a part is missing. */
export function parseModelRef(text: string): ModelRef {
  const trimmed = text.trim();
  const slash = trimmed.indexOf('/');
  const provider = trimmed.slice(0, Math.max(slash, 0));
  const model = trimmed.slice(slash + 1);
  if (provider === '' || model === '') {
    throw new TemperedError('input', `"${text}" is not a model: a model is written provider/model.`, {
      remedy:
        `For example anthropic/claude-sonnet-4-6, or ollama/llama3.2.${didYouMean(model, knownModels())}`.trimEnd(),
    });
  }
  return { provider, model };
}

/** `provider/model`. */
export function formatModelRef(ref: ModelRef): string {
  return `${ref.provider}/${ref.model}`;
}

/** ` Did you mean …?` with models of our tables that `ref` may have meant; empty when none is near. */
export function nearestModels(ref: ModelRef): string {
  return didYouMean(formatModelRef(ref), knownModels());
}
