import {
  DuckDBArrayType,
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDecimalValue,
  DuckDBListType,
  DuckDBListValue,
  DuckDBMapType,
  DuckDBMapValue,
  DuckDBStructType,
  DuckDBStructValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBType,
  DuckDBUnionValue,
  DuckDBUnionType,
  type DuckDBValue,
} from '@duckdb/node-api';
import { type Json, type JsonObject, parseJson } from '../../task/json.js';

/**
 * A table's value as JSON, with nothing lost that JSON can hold: integers beyond 2^53 and decimals that are no exact
 * number are text, times are ISO 8601, bytes are base64, `NaN` and infinities are null, a map with text keys is an
 * object.
 */
export function duckToJson(value: DuckDBValue, type: DuckDBType): Json {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return type.alias === 'JSON' ? parsedOrText(value) : value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return exact(value.toString());
  if (value instanceof DuckDBDecimalValue) return exact(value.toString());
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('base64');
  return nested(value, type) ?? time(value) ?? String(value);
}

/** A number when it says the same as the text, else the text. */
function exact(text: string): Json {
  const number = Number(text);
  const plain = text.includes('.') ? text.replace(/\.?0+$/, '') : text;
  return Number.isFinite(number) && String(number) === plain.replace(/^-0$/, '0') ? number : text;
}

function parsedOrText(text: string): Json {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}

function nested(value: DuckDBValue, type: DuckDBType): Json | undefined {
  if (value instanceof DuckDBListValue && type instanceof DuckDBListType) {
    return value.items.map((item) => duckToJson(item, type.valueType));
  }
  if (value instanceof DuckDBArrayValue && type instanceof DuckDBArrayType) {
    return value.items.map((item) => duckToJson(item, type.valueType));
  }
  if (value instanceof DuckDBStructValue && type instanceof DuckDBStructType) {
    const object: JsonObject = {};
    for (const [index, name] of type.entryNames.entries()) {
      const memberType = type.entryTypes[index];
      if (memberType !== undefined) object[name] = duckToJson(value.entries[name] ?? null, memberType);
    }
    return object;
  }
  if (value instanceof DuckDBMapValue && type instanceof DuckDBMapType) return map(value, type);
  if (value instanceof DuckDBUnionValue && type instanceof DuckDBUnionType) {
    return duckToJson(value.value, type.memberTypeForTag(value.tag));
  }
  return undefined;
}

function map({ entries }: DuckDBMapValue, { keyType, valueType }: DuckDBMapType): Json {
  const pairs = entries.map(({ key, value }) => ({
    key: duckToJson(key, keyType),
    value: duckToJson(value, valueType),
  }));
  const object: JsonObject = {};
  for (const { key, value } of pairs) {
    if (typeof key !== 'string') return pairs;
    object[key] = value;
  }
  return object;
}

function time(value: DuckDBValue): string | undefined {
  if (value instanceof DuckDBTimestampTZValue) return iso(value.micros * 1000n, 'Z');
  if (value instanceof DuckDBTimestampValue) return iso(value.micros * 1000n, '');
  if (value instanceof DuckDBTimestampNanosecondsValue) return iso(value.nanos, '');
  if (value instanceof DuckDBTimestampMillisecondsValue) return iso(value.millis * 1_000_000n, '');
  if (value instanceof DuckDBTimestampSecondsValue) return iso(value.seconds * 1_000_000_000n, '');
  return undefined;
}

/** ISO 8601 with as many decimals of a second as are needed; undefined beyond the years JavaScript knows. */
function iso(nanos: bigint, zone: string): string | undefined {
  const perSecond = 1_000_000_000n;
  const rest = ((nanos % perSecond) + perSecond) % perSecond;
  const date = new Date(Number((nanos - rest) / 1_000_000n));
  if (Number.isNaN(date.getTime())) return undefined;
  const decimals = rest === 0n ? '' : `.${rest.toString().padStart(9, '0').replace(/0+$/, '')}`;
  return `${date.toISOString().slice(0, -5)}${decimals}${zone}`;
}
