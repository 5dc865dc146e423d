import { isJsonObject, type Json } from '../../task/json.js';
import type { Outcome } from '../../task/outcome.js';

/** A cell of a results table. */
export type Cell = string | number | boolean | null;

/** SQL type of a column. */
export type ColumnType = 'BIGINT' | 'DOUBLE' | 'BOOLEAN' | 'VARCHAR';

/** Columns before those of the answer's fields. */
const FIRST = { index: 'BIGINT', id: 'VARCHAR', status: 'VARCHAR', output: 'VARCHAR' } as const;

/** Columns after them. */
const LAST = {
  error_category: 'VARCHAR',
  error_message: 'VARCHAR',
  prompts: 'BIGINT',
  cost_usd: 'DOUBLE',
  input_tokens: 'BIGINT',
  output_tokens: 'BIGINT',
} as const;

/**
 * Turns outcomes into rows of one table. `output` is the whole answer (text as it is, else JSON); each top-level field
 * that is text, a number, a boolean or null somewhere gets a column `output.<field>` beside it, with the narrowest
 * type that holds all its values.
 */
export class OutcomeTable {
  private readonly fields = new Map<string, ColumnType | null>();

  /** The row of an outcome, by column. */
  row({ index, id, status, output, error, prompts, costUsd, usage }: Outcome): Record<string, Cell> {
    return {
      index,
      id,
      status,
      output: output === null || typeof output === 'string' ? output : JSON.stringify(output),
      ...this.cells(output),
      error_category: error?.category ?? null,
      error_message: error?.message ?? null,
      prompts: prompts.length,
      cost_usd: costUsd,
      input_tokens: usage.inputTokens,
      output_tokens: usage.outputTokens,
    };
  }

  /** The columns of the rows so far, in order. */
  get columns(): Readonly<Record<string, ColumnType>> {
    const fields = [...this.fields].map(([name, type]) => [name, type ?? 'VARCHAR'] as const);
    return { ...FIRST, ...Object.fromEntries(fields), ...LAST };
  }

  private cells(output: Json): Record<string, Cell> {
    const cells: Record<string, Cell> = {};
    if (!isJsonObject(output)) return cells;
    for (const [field, value] of Object.entries(output)) {
      if (typeof value === 'object' && value !== null) continue;
      const name = `output.${field}`;
      this.fields.set(name, wider(this.fields.get(name) ?? null, typeOf(value)));
      cells[name] = value;
    }
    return cells;
  }
}

function typeOf(cell: Cell): ColumnType | null {
  if (cell === null) return null;
  if (typeof cell === 'number') return Number.isSafeInteger(cell) ? 'BIGINT' : 'DOUBLE';
  return typeof cell === 'boolean' ? 'BOOLEAN' : 'VARCHAR';
}

/** The narrowest type that holds both; null = only nulls so far. */
function wider(a: ColumnType | null, b: ColumnType | null): ColumnType | null {
  if (a === null || b === null || a === b) return a ?? b;
  const numbers: readonly ColumnType[] = ['BIGINT', 'DOUBLE'];
  return numbers.includes(a) && numbers.includes(b) ? 'DOUBLE' : 'VARCHAR';
}
