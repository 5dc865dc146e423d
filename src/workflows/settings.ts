import type { OpenedBatch } from '../activities/types.js';
import { AUTO_CONCURRENCY } from '../limits/tuning.js';
import type { Concurrency } from '../limits/types.js';
import { usdToNano } from '../task/money.js';
import type { BatchConfig, BatchInput, BatchSettings } from './types.js';

/** Prompts in flight when the input does not say. */
export const DEFAULT_CONCURRENCY = 50;

/** The settings a batch starts with. */
export function settingsOf(input: BatchInput): BatchSettings {
  return {
    ...concurrencyOf(input.concurrency ?? DEFAULT_CONCURRENCY),
    budgetNano: input.budgetUsd === undefined ? null : usdToNano(input.budgetUsd),
    deadline: input.deadline === undefined ? null : Date.parse(input.deadline),
    model: null,
    limits: {},
    cancelled: [],
    ...(input.weight === undefined ? {} : { weight: input.weight }),
  };
}

/** A wanted concurrency as settings. */
export function concurrencyOf(wanted: Concurrency): Pick<BatchSettings, 'concurrency' | 'autoConcurrency'> {
  return wanted === 'auto' ? { concurrency: AUTO_CONCURRENCY.start, autoConcurrency: true } : { concurrency: wanted };
}

/** What a batch runs with, for the query `config`. */
export function configOf(
  opened: OpenedBatch,
  settings: BatchSettings,
  input: BatchInput,
  inputClosed: boolean,
): BatchConfig {
  const { taskHash, taskName, model } = opened;
  const { concurrency, autoConcurrency, budgetNano, deadline } = settings;
  const auto = autoConcurrency === undefined ? {} : { autoConcurrency };
  const { execution = 'item', onBudget = 'pause' } = input;
  const limit = input.maxFailures === undefined ? {} : { maxFailures: input.maxFailures };
  return {
    taskHash,
    taskName,
    model: settings.model ?? model,
    options: { concurrency, ...auto, execution, budgetNano, onBudget, deadline, open: !inputClosed, ...limit },
    settings,
  };
}

/** The input as its sender gave it. */
export function withoutCarry({ carried: _carried, ...input }: BatchInput): BatchInput {
  return input;
}
