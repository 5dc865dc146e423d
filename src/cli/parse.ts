import { InvalidArgumentError } from 'commander';
import type { Concurrency } from '../client/work.js';
import { isMaxFailures, MAX_FAILURES_FORM, type MaxFailures } from '../task/maxFailures.js';

/** Values of options, as people write them. Each throws with what is wanted; commander adds the option's name. */

/** A whole number of at least `min`. */
export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    const bounds = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
    throw new InvalidArgumentError(`It wants a whole number ${bounds}.`);
  };
}

/** Prompts in flight: a whole number or `auto`. */
export function concurrency(text: string): Concurrency {
  if (text === 'auto') return text;
  try {
    return wholeNumber(1, 10_000)(text);
  } catch {
    throw new InvalidArgumentError('It wants a whole number from 1 to 10000, or auto.');
  }
}

/** A number above 0. */
export function amount(text: string): number {
  const value = Number(text);
  if (/^\d*\.?\d+$/.test(text) && value > 0) return value;
  throw new InvalidArgumentError('It wants a number above 0.');
}

/** Dollars: `5`, `0.25`, `$2`. */
export function dollars(text: string): number {
  const match = /^\$?(\d+(?:\.\d+)?|\.\d+)$/.exec(text);
  if (match !== null) return Number(match[1]);
  throw new InvalidArgumentError('It wants dollars, such as 2.50.');
}

/** Failures allowed: `20` or `5%`. */
export function maxFailures(text: string): MaxFailures {
  const value = /^\d+$/.test(text) ? Number(text) : text;
  if (isMaxFailures(value)) return value;
  throw new InvalidArgumentError(`It wants ${MAX_FAILURES_FORM}.`);
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A length of time (`90s`, `30m`, `1h30m`, `1d`), in milliseconds. */
export function duration(text: string): number {
  const ms = lengthOf(text);
  if (ms !== null && ms >= 1) return Math.round(ms);
  throw new InvalidArgumentError('It wants a length of time such as 90s, 30m or 1h30m.');
}

function lengthOf(text: string): number | null {
  if (!/^(\d+(\.\d+)?[smhd])+$/.test(text)) return null;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)([smhd])/g)];
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNIT_MS[unit ?? ''] ?? 0), 0);
}

/** A time from now (`90s`, `30m`, `2h`, `1h30m`, `1d`) or an ISO time, as a date. */
export function deadline(text: string): Date {
  const ms = lengthOf(text);
  if (ms !== null) return new Date(Date.now() + ms);
  const time = /^\d{4}-/.test(text) ? new Date(text) : new Date(Number.NaN);
  if (!Number.isNaN(time.getTime())) return time;
  throw new InvalidArgumentError('It wants a time from now such as 30m, 2h or 1h30m, or an ISO time.');
}

/** What `parse` takes, or `none`: commander takes a null for an option without a value. */
export function orNone<T>(parse: (text: string) => T): (text: string) => T | 'none' {
  return (text) => (text === 'none' ? text : parse(text));
}

/** An address to listen at, `host:port`. */
export function hostPort(text: string): string {
  const port = Number(/^[^\s/]+:(\d{1,5})$/.exec(text)?.[1]);
  if (port >= 1 && port <= 65_535) return text;
  throw new InvalidArgumentError('It wants host:port, such as 127.0.0.1:9464.');
}

/** Names with commas between them. */
export function names(text: string): readonly string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
