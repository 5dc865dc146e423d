import type { OutcomeFilter, Store } from '../store/types.js';
import type { Outcome } from '../task/outcome.js';

/** An outcome and the batch that gave it: the batch itself, or the last one that asked again and got an answer. */
export type LatestOutcome<O = Outcome> = O & {
  /** The batch whose prompts, usage and cost the line tells. */
  readonly batchId: string;
};

/**
 * A batch's outcomes in input order, in pages, each replaced by the newest success among the batches that asked again
 * for it. An old outcome stays until then. `index` is always the record's place in this batch's input. In bounded memory.
 */
export async function* latestPages(
  store: Pick<Store, 'outcomePages' | 'retriesOf' | 'successes'>,
  batchId: string,
  { statuses, category, withInput = false }: OutcomeFilter = {},
): AsyncGenerator<readonly LatestOutcome[]> {
  const retries = (await store.retriesOf(batchId)).map(({ id }) => id);
  for await (const page of store.outcomePages(batchId, { withInput })) {
    const ids = page.map(({ id }) => id);
    const found = await store.successes(retries, ids);
    const lines = page.map((old): LatestOutcome => {
      const { batchId: by, outcome } = found.get(old.id) ?? { batchId, outcome: old };
      const { index, input } = old;
      return { ...outcome, index, ...(input === undefined ? {} : { input }), batchId: by };
    });
    yield lines.filter(
      ({ status, error }) =>
        (category === undefined || error?.category === category) && (statuses?.includes(status) ?? true),
    );
  }
}
