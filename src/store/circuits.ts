import type { Circuit } from '../limits/types.js';
import type { Backend } from './backend.js';
import type { CircuitsTable } from './poolSchema.js';
import type { Store } from './types.js';

/** The part of the store that remembers which endpoints fail. */
export type CircuitStore = Pick<Store, 'changeCircuit' | 'listCircuits'>;

function read(row: CircuitsTable): Circuit {
  return {
    failures: row.failures,
    openUntil: row.open_until,
    probeUntil: row.probe_until,
    failedProbes: row.failed_probes,
    reason: row.reason,
  };
}

/** A circuit of the database's clock on ours. */
function local(circuit: Circuit, databaseNow: number): Circuit {
  const shift = Date.now() - databaseNow;
  const moved = (time: number) => (time === 0 ? 0 : time + shift);
  return { ...circuit, openUntil: moved(circuit.openUntil), probeUntil: moved(circuit.probeUntil) };
}

/** Circuits over `backend`. */
export function createCircuitStore(backend: Backend): CircuitStore {
  const { db } = backend;
  return {
    changeCircuit: (endpoint, change) =>
      db.transaction().execute(async (trx) => {
        const none = { failures: 0, open_until: 0, probe_until: 0, failed_probes: 0, reason: null };
        // A row to lock, so that two first failures are counted one after the other.
        await trx
          .insertInto('circuits')
          .values({ endpoint, ...none })
          .onConflict((conflict) => conflict.column('endpoint').doNothing())
          .execute();
        const row = await trx
          .selectFrom('circuits')
          .selectAll()
          .where('endpoint', '=', endpoint)
          .$if(backend.rowLocks, (query) => query.forUpdate())
          .executeTakeFirstOrThrow();
        const now = await backend.now(trx);
        const after = change(read(row), now);
        await trx
          .updateTable('circuits')
          .set({
            failures: after.failures,
            open_until: Math.ceil(after.openUntil),
            probe_until: Math.ceil(after.probeUntil),
            failed_probes: after.failedProbes,
            reason: after.reason,
          })
          .where('endpoint', '=', endpoint)
          .execute();
        return local(after, now);
      }),
    async listCircuits() {
      const now = await backend.now(db);
      const rows = await db.selectFrom('circuits').selectAll().where('failures', '>', 0).orderBy('endpoint').execute();
      return rows.map((row) => ({ endpoint: row.endpoint, ...local(read(row), now) }));
    },
  };
}
