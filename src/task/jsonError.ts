/** What may come next in a JSON text. */
type Next = 'value' | 'value or ]' | 'key' | 'key or }' | 'colon' | 'comma or end';

const SPACE = /\s*/y;
const SCALAR = /"(?:[^"\\\n\r]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/**
 * Position of the first character of `text` that is wrong in JSON; its length when it breaks off, or when nothing is
 * wrong. `JSON.parse` does not always tell.
 */
export function jsonErrorAt(text: string): number {
  const open: ('{' | '[')[] = [];
  let next: Next = 'value';
  let at = 0;
  for (;;) {
    at = skip(SPACE, text, at);
    const char = text[at];
    if (char === undefined || (next === 'comma or end' && open.length === 0)) return at;
    const inner = open.at(-1);
    if ((char === '}' && inner === '{' && mayClose(next)) || (char === ']' && inner === '[' && mayClose(next))) {
      open.pop();
      next = 'comma or end';
      at += 1;
    } else if (char === ',' && next === 'comma or end') {
      next = inner === '{' ? 'key' : 'value';
      at += 1;
    } else if (char === ':' && next === 'colon') {
      next = 'value';
      at += 1;
    } else if ((char === '{' || char === '[') && next.startsWith('value')) {
      open.push(char);
      next = char === '{' ? 'key or }' : 'value or ]';
      at += 1;
    } else {
      const end = skip(SCALAR, text, at);
      const isKey = next.startsWith('key');
      if (end === at || !(isKey ? char === '"' : next.startsWith('value'))) return at;
      next = isKey ? 'colon' : 'comma or end';
      at = end;
    }
  }
}

function mayClose(next: Next): boolean {
  return next.includes(' or ');
}

function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}
