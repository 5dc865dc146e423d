import { count } from '../task/digits.js';

/** How numbers look in texts for people. Pure. */

/** `1 record`, `2 records`. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** Dollars with as many digits as matter; `unpriced` when not known: never $0 for a price nobody knows. */
export function money(usd: number | null): string {
  if (usd === null) return 'unpriced';
  if (usd === 0) return '$0';
  const sign = usd < 0 ? '-' : '';
  const size = Math.abs(usd);
  if (size < 0.0001) return `${sign}<$0.0001`;
  return `${sign}$${size.toFixed(size < 10 ? 4 : 2)}`;
}

/** `0:42`, `12:05`, `3:07:00`. Seconds. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** `2.4 s`, from a minute on `1:05`. Seconds. */
export function duration(seconds: number): string {
  return seconds < 60 ? `${seconds.toFixed(1)} s` : clock(seconds);
}

/** `62 %`, one digit below ten percent. */
export function percent(share: number): string {
  const value = share * 100;
  return `${value > 0 && value < 10 ? value.toFixed(1) : Math.floor(value)} %`;
}

/** `9.8/s`, `0.25/s`. */
export function perSecond(rate: number): string {
  return `${rate.toFixed(rate < 1 ? 2 : 1)}/s`;
}

/** A text cut to `width` columns. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/** One line of a text that may have several. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
