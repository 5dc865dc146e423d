import { hash } from 'node:crypto';
import type { LoadedRecord, TaskSpec } from './spec.js';

/** JSON with sorted keys: the same value gives the same text, however it was built. */
export function canonicalJson(value: unknown): string {
  return isSorted(value) ? JSON.stringify(value) : sortedJson(value);
}

function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  let text = '';
  for (const key of Object.keys(value).sort()) {
    const property = value[key];
    if (property !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${sortedJson(property)}`;
  }
  return `{${text}}`;
}

/** Whether its keys stand sorted already, so that it goes into its text in one piece, as most records do. */
function isSorted(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isSorted);
  if (!isObject(value)) return true;
  let before = '';
  for (const key of Object.keys(value)) {
    if (key < before || !isSorted(value[key])) return false;
    before = key;
  }
  return true;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** SHA-256 of a text, in hex. */
function sha256(text: string): string {
  return hash('sha256', text, 'hex');
}

/**
 * A task's identity: hash of all that changes an answer or what is kept of it. Left out are the account's quotas
 * (`limits`), when a batch pauses (`maxFailures`) or a record is given up (`itemTimeout`), and what only makes prompts cheaper (`optimization`). `code` is the
 * source text of the module's functions by name.
 */
export function taskHash(spec: TaskSpec, code: Readonly<Record<string, string>> = {}): string {
  const same = { limits: undefined, maxFailures: undefined, itemTimeoutMs: undefined, optimization: undefined };
  return sha256(canonicalJson({ spec: { ...spec, ...same }, code }));
}

/** A record's content and the prompt made of it. */
type Content = Pick<LoadedRecord, 'input' | 'rendered'>;

/**
 * A record's identity, for `--reuse`: hash of its content and the prompt made of it. `texts` are both as JSON, for the
 * store keeps them: in most records keys stand sorted, and nothing is written twice.
 */
export function recordHash(
  { input, rendered }: Content,
  texts: { readonly [part in keyof Content]: string | null },
): string {
  const sorted = isSorted(input) && isSorted(rendered);
  return sha256(sorted ? `{"input":${texts.input},"rendered":${texts.rendered}}` : sortedJson({ input, rendered }));
}
