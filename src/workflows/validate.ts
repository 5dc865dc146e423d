import { ApplicationFailure } from '@temporalio/common';
import { thrownText } from '../task/errors.js';
import type { Json } from '../task/json.js';
import { isJsonObject } from '../task/json.js';
import { LIMIT_NAMES } from '../task/limits.js';
import { isMaxFailures, MAX_FAILURES_FORM } from '../task/maxFailures.js';
import { MAX_ITEM_TIMEOUT_MS } from '../task/spec.js';
import type { ExecutionMode, OnDeadline, PoolPatch } from '../store/types.js';
import type { AddItems, BatchInput } from './types.js';

/** Checks of messages, which any SDK may send. Pure; each throws an Error that says what is wanted. */

/** The settings a batch is started with, which any SDK may send. Throws a failure that ends the workflow. */
export function checkInput(input: BatchInput): void {
  const { concurrency, budgetUsd, deadline, onDeadline, itemTimeoutMs, execution, maxFailures, weight } = input;
  try {
    if (concurrency !== undefined) checkConcurrency(concurrency);
    if (weight !== undefined) checkWeight(weight);
    if (budgetUsd !== undefined) checkBudget(budgetUsd);
    // A deadline that has passed is no mistake: the batch then ends at once, all of it `notRun`.
    if (deadline !== undefined) checkDeadline(deadline, -Infinity);
    if (onDeadline !== undefined) checkOnDeadline(onDeadline);
    if (itemTimeoutMs !== undefined) checkItemTimeout(itemTimeoutMs);
    if (execution !== undefined) checkExecution(execution);
    if (maxFailures !== undefined) checkMaxFailures(maxFailures);
  } catch (error) {
    throw ApplicationFailure.nonRetryable(`The batch's input can't be used: ${thrownText(error)}`, 'input');
  }
}

/** Prompts in flight: a whole number, 1..10,000, or `auto`. */
export function checkConcurrency(value: unknown): void {
  if (value === 'auto') return;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > 10_000) {
    throw new Error('setConcurrency wants a whole number from 1 to 10000, or auto');
  }
}

/** Temporal takes no other weights of fairness keys. */
const WEIGHTS = { least: 0.001, most: 1_000 };

/** A batch's part of a quota, against the others'. */
export function checkWeight(value: unknown): void {
  if (typeof value !== 'number' || !(value >= WEIGHTS.least && value <= WEIGHTS.most)) {
    throw new Error(`setWeight wants a number from ${WEIGHTS.least} to ${WEIGHTS.most}`);
  }
}

/** A money limit in USD, or null for none. */
export function checkBudget(value: unknown): void {
  if (value !== null && !(typeof value === 'number' && Number.isFinite(value) && value >= 0)) {
    throw new Error('setBudget wants a number of dollars, 0 or more, or null for no limit');
  }
}

const EXECUTION_MODES: readonly unknown[] = ['item', 'inline'] satisfies ExecutionMode[];

/** How records run: `item` or `inline`. */
function checkExecution(value: unknown): void {
  if (!EXECUTION_MODES.includes(value)) throw new Error(`execution is one of ${EXECUTION_MODES.join(', ')}`);
}

const DEADLINE_ENDS: readonly unknown[] = ['drain', 'cancel'] satisfies OnDeadline[];

function checkOnDeadline(value: unknown): void {
  if (!DEADLINE_ENDS.includes(value)) throw new Error(`onDeadline is one of ${DEADLINE_ENDS.join(', ')}`);
}

/** Milliseconds a record may take. */
function checkItemTimeout(value: unknown): void {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > MAX_ITEM_TIMEOUT_MS) {
    throw new Error(`itemTimeoutMs wants whole milliseconds from 1 to ${MAX_ITEM_TIMEOUT_MS}`);
  }
}

/** `provider/model`, or null for the task's own. `providers`: those that are known; default any. */
export function checkModel(value: unknown, providers?: readonly string[]): void {
  if (value !== null && !(typeof value === 'string' && /^[^/]+\/.+/.test(value))) {
    throw new Error('setModel wants "provider/model", or null for the task\'s own');
  }
  const provider = value?.split('/')[0] ?? '';
  if (value !== null && providers !== undefined && !providers.includes(provider)) {
    throw new Error(`setModel knows no provider "${provider}". Providers are ${providers.join(', ')}`);
  }
}

/** An ISO time in the future, or null for none. `now`: milliseconds since epoch. */
export function checkDeadline(value: unknown, now: number): void {
  if (value === null) return;
  const text = typeof value === 'string' ? value : '';
  const time = Date.parse(text);
  if (Number.isNaN(time))
    throw new Error('setDeadline wants an ISO time such as 2027-01-31T12:00:00Z, or null for none');
  if (time <= now) throw new Error(`setDeadline wants a time in the future; ${text} has passed`);
}

function checkMaxFailures(value: unknown): void {
  if (!isMaxFailures(value)) throw new Error(`maxFailures wants ${MAX_FAILURES_FORM}`);
}

const POOL_SETTINGS: readonly string[] = [...LIMIT_NAMES, 'perDayUsd'] satisfies (keyof PoolPatch)[];

/** Quotas of a pool: positive numbers under their names; null takes one back. */
export function checkLimits(value: unknown): void {
  if (!isJsonObject(value)) throw new Error('setLimits wants an object such as {"rpm": 600}');
  const named = Object.entries(value);
  if (named.length === 0) throw new Error(`setLimits wants one of ${POOL_SETTINGS.join(', ')}`);
  for (const [name, limit] of named) {
    if (!POOL_SETTINGS.includes(name)) throw new Error(`setLimits knows ${POOL_SETTINGS.join(', ')}; not ${name}`);
    if (limit !== null && !(typeof limit === 'number' && limit > 0)) {
      throw new Error(`setLimits wants a positive number for ${name}, or null for what is configured`);
    }
  }
}

/** Position of a record. */
export function isIndex(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

/** Why someone pauses, if the payload of `pause` says it in words. */
export function readReason(value: unknown): string | undefined {
  if (!isJsonObject(value)) return undefined;
  const { reason } = value;
  return typeof reason === 'string' && reason !== '' ? reason : undefined;
}

/** Reads the payload of `addItems`; a text says what is wrong with it. */
export function readAddItems(value: unknown): AddItems | string {
  if (!isJsonObject(value)) return 'addItems wants {"clientKey": "…", "items": […]}';
  const { clientKey, items, range } = value;
  if (typeof clientKey !== 'string' || clientKey === '')
    return 'addItems wants a clientKey, so that a repeat adds once';
  if (Array.isArray(items)) return { clientKey, items };
  if (isRange(range)) return { clientKey, range };
  return 'addItems wants items (a list of records) or range ({"from", "to"})';
}

function isRange(value: Json | undefined): value is { from: number; to: number } {
  if (!isJsonObject(value)) return false;
  const { from, to } = value;
  return Number.isInteger(from) && Number.isInteger(to) && Number(from) >= 0 && Number(to) >= Number(from);
}
