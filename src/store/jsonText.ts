/** A text column that holds `T` as JSON. Text in both backends: nothing queries inside, and the bytes stay as written. */
export type JsonText<T> = string & { readonly holds?: T };

/** `value` as it is stored. */
export function encode<T>(value: T): JsonText<T> {
  const stringify: (value: T) => JsonText<T> = JSON.stringify;
  return stringify(value);
}

/** `value` as it is stored; null stays SQL's NULL. */
export function encodeNullable<T>(value: T | null): JsonText<T> | null {
  return value === null ? null : encode(value);
}

/** What {@link encode} stored. Trusted: only this store writes these columns. */
export function decode<T>(text: JsonText<T>): T {
  const parse: (text: string) => T = JSON.parse;
  return parse(text);
}

/** What {@link encodeNullable} stored. */
export function decodeNullable<T>(text: JsonText<T> | null): T | null {
  return text === null ? null : decode(text);
}
