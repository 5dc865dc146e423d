import { sql } from 'kysely';
import type { Backend } from './backend.js';
import { decode, encode } from './jsonText.js';
import { lockBatch } from './locks.js';
import type { Store } from './types.js';

/** The part of the store workers look at before each prompt. */
export type ControlStore = Pick<Store, 'publishControl' | 'readControl' | 'halt'>;

/** Control rows over `backend`. */
export function createControlStore(backend: Backend): ControlStore {
  const { db } = backend;
  return {
    publishControl: (batchId, control) =>
      db.transaction().execute(async (trx) => {
        const { batch_no } = await lockBatch(trx, backend, batchId);
        await trx
          .insertInto('control')
          .values({ batch_no, version: control.version, body: encode(control) })
          .onConflict((conflict) =>
            conflict
              .column('batch_no')
              .doUpdateSet((eb) => ({
                version: eb.ref('excluded.version'),
                body: eb.ref('excluded.body'),
                // The same version once more is a repeated activity: it has not seen the halt.
                halt: sql`case when control.halt_version < excluded.version then null else control.halt end`,
              }))
              .whereRef('control.version', '<=', 'excluded.version'),
          )
          .execute();
      }),
    async readControl(batchId) {
      const row = await db
        .selectFrom('control')
        .innerJoin('batches', 'batches.no', 'control.batch_no')
        .select(['control.body', 'control.halt'])
        .where('batches.id', '=', batchId)
        .executeTakeFirst();
      if (row === undefined) return undefined;
      const control = decode(row.body);
      return row.halt === null || control.paused !== null
        ? control
        : { ...control, paused: decode(row.halt), halted: true };
    },
    async halt(batchId, atVersion, pause) {
      const { numUpdatedRows } = await db
        .updateTable('control')
        .set({ halt: encode(pause), halt_version: atVersion })
        .where('batch_no', '=', (eb) => eb.selectFrom('batches').select('no').where('id', '=', batchId))
        .where('version', '=', atVersion)
        .where('halt', 'is', null)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
  };
}
