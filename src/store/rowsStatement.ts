import { CompiledQuery, type RawBuilder, sql } from 'kysely';
import type { Db } from './backend.js';

/** Rows in one statement at most: far from both databases' limits of parameters. A power of two. */
const MOST_ROWS = 64;

/** `rows` in slices that fit into one statement. */
export function* slices<T>(rows: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < rows.length; from += MOST_ROWS) yield rows.slice(from, from + MOST_ROWS);
}

/**
 * A statement whose text depends on nothing but its number of rows, compiled once for each number: to put it together
 * takes Kysely as long as a database needs to run it.
 */
export class RowsStatement<Row = unknown> {
  /** Texts by number of rows, for each language of a database. */
  private readonly texts = new WeakMap<object, Map<number, string>>();

  constructor(private readonly compile: (db: Db, rows: number) => CompiledQuery<Row>) {}

  /** Runs it with the parameters of so many rows, in the order in which they stand in its text. */
  async execute(db: Db, rows: number, parameters: readonly unknown[]): Promise<readonly Row[]> {
    const result = await db.executeQuery<Row>(CompiledQuery.raw(this.text(db, rows), [...parameters]));
    return result.rows;
  }

  /** Runs it with a batch and the indices of some of its items, which are not empty. */
  forItems(db: Db, batch: string | number, indices: readonly number[]): Promise<readonly Row[]> {
    const list = padded(indices);
    return this.execute(db, list.length, [batch, ...list]);
  }

  private text(db: Db, rows: number): string {
    const { adapter } = db.getExecutor();
    const known = this.texts.get(adapter) ?? new Map<number, string>();
    this.texts.set(adapter, known);
    const text = known.get(rows) ?? this.compile(db, rows).sql;
    known.set(rows, text);
    return text;
  }
}

/** An insert of many rows. */
export class RowsInsert<Row extends object> {
  private readonly statement: RowsStatement;

  /** `after`: what follows the values, as a conflict's solution. */
  constructor(
    table: string,
    private readonly columns: readonly (keyof Row & string)[],
    after: RawBuilder<unknown> = sql``,
  ) {
    const names = sql.join(columns.map((column) => sql.ref(column)));
    const row = sql`(${sql.join(columns.map(() => null))})`;
    this.statement = new RowsStatement((db, rows) =>
      sql`insert into ${sql.table(table)} (${names}) values ${sql.join(Array.from({ length: rows }, () => row))} ${after}`.compile(
        db,
      ),
    );
  }

  /** Inserts them; none is fine. */
  async execute(db: Db, rows: readonly Row[]): Promise<void> {
    for (const slice of powerSlices(rows)) {
      const values: unknown[] = [];
      for (const row of slice) for (const column of this.columns) values.push(row[column]);
      await this.statement.execute(db, slice.length, values);
    }
  }
}

/** `rows` in slices whose lengths are powers of two, longest first: few statements serve any number of rows. */
export function* powerSlices<T>(rows: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < rows.length;) {
    const size = Math.min(MOST_ROWS, 2 ** Math.floor(Math.log2(rows.length - from)));
    yield rows.slice(from, from + size);
    from += size;
  }
}

/** The rows of a batch's items. */
export class RowsSelect<Row extends object> {
  private readonly statement: RowsStatement<Row>;

  /** `after`: what follows the condition, as an order. */
  constructor(table: string, columns: readonly (keyof Row & string)[], after: RawBuilder<unknown> = sql``) {
    const names = sql.join(columns.map((column) => sql.ref(column)));
    this.statement = new RowsStatement((db, items) =>
      sql<Row>`select ${names} from ${sql.table(table)} where batch_no = ${0}
        and idx in (${sql.join(Array.from({ length: items }, () => 0))}) ${after}`.compile(db),
    );
  }

  /** Those of the items at `indices`, which is not empty. */
  execute(db: Db, batchNo: number, indices: readonly number[]): Promise<readonly Row[]> {
    return this.statement.forItems(db, batchNo, indices);
  }
}

/** `values` with the last one repeated up to a power of two: few statements serve any number of them. */
function padded<T>(values: readonly T[]): readonly T[] {
  const last = values.at(-1);
  if (last === undefined) return values;
  const size = 2 ** Math.ceil(Math.log2(values.length));
  return [...values, ...Array.from({ length: size - values.length }, () => last)];
}
