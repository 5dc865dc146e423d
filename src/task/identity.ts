import { hash } from 'node:crypto';
import type { Json } from './json.js';
import type { RenderedPrompt, TaskSpec } from './spec.js';

/** JSON with sorted keys: the same value gives the same text, however it was built. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  let text = '';
  for (const key of Object.keys(value).sort()) {
    const property = value[key];
    if (property !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(property)}`;
  }
  return `{${text}}`;
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

/** A record's identity, for `--reuse`: its content and the prompt made of it. */
export function recordHash(input: Json, rendered: RenderedPrompt | null): string {
  return sha256(canonicalJson({ input, rendered }));
}
