import { usdToNano } from '../task/money.js';
import type { BatchInput, BatchSettings } from './types.js';

/** Prompts in flight when the input does not say. */
export const DEFAULT_CONCURRENCY = 50;

/** The settings a batch starts with. */
export function settingsOf(input: BatchInput): BatchSettings {
  return {
    concurrency: input.concurrency ?? DEFAULT_CONCURRENCY,
    budgetNano: input.budgetUsd === undefined ? null : usdToNano(input.budgetUsd),
    deadline: input.deadline === undefined ? null : Date.parse(input.deadline),
    model: null,
    limits: {},
    cancelled: [],
  };
}
