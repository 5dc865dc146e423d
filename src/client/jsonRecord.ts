import { TemperedError } from '../task/errors.js';
import { asJson, type Json } from '../task/json.js';

/** A record a program gives, as JSON; `number` counts from 1. Throws `input` for one that JSON can't carry. */
export function jsonRecord(record: unknown, number: number): Json {
  const made = asJson(record);
  if (made.ok) return made.value;
  const where = made.at === '' ? '' : ` at ${made.at}`;
  throw new TemperedError('input', `Record ${number} can't be written as JSON: ${made.what}${where}.`);
}
