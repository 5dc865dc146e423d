import { createHash } from 'node:crypto';
import type { Json } from './json.js';
import type { RenderedPrompt, TaskSpec } from './spec.js';

/** JSON with sorted keys: the same value gives the same text, however it was built. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((element) => canonicalJson(element)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries: [string, unknown][] = Object.entries(value);
  const pairs = entries
    .filter(([, property]) => property !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, property]) => `${JSON.stringify(key)}:${canonicalJson(property)}`);
  return `{${pairs.join(',')}}`;
}

/** SHA-256 of a text, in hex. */
function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * A task's identity: hash of all that changes an answer or what is kept of it. Only the account's quotas (`limits`)
 * are left out. `code` is the source text of the module's functions by name.
 */
export function taskHash(spec: TaskSpec, code: Readonly<Record<string, string>> = {}): string {
  return sha256(canonicalJson({ spec: { ...spec, limits: undefined }, code }));
}

/** A record's identity, for `--reuse`: its content and the prompt made of it. */
export function recordHash(input: Json, rendered: RenderedPrompt | null): string {
  return sha256(canonicalJson({ input, rendered }));
}
