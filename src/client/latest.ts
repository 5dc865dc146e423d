import type { OutcomeFilter, Store } from '../store/types.js';
import type { Outcome } from '../task/outcome.js';

/** An outcome and the batch that gave it: the batch itself, or the last one that asked again and got an answer. */
export type LatestOutcome<O = Outcome> = O & {
  /** The batch whose prompts, usage and cost the line tells. */
  readonly batchId: string;
};

/** Outcomes merged at once. */
const PAGE = 500;

/**
 * A batch's outcomes in input order, each replaced by the newest success among the batches that asked again for it. An
 * old outcome stays until then. `index` is always the record's place in this batch's input. In bounded memory.
 */
export async function* latestOutcomes(
  store: Pick<Store, 'outcomes' | 'retriesOf' | 'successes'>,
  batchId: string,
  { statuses, category, withInput = false }: OutcomeFilter = {},
): AsyncGenerator<LatestOutcome> {
  const retries = (await store.retriesOf(batchId)).map(({ id }) => id);
  let page: Outcome[] = [];
  const merged = async function* () {
    const ids = page.map(({ id }) => id);
    const found = await store.successes(retries, ids);
    for (const old of page) {
      const { batchId: by, outcome } = found.get(old.id) ?? { batchId, outcome: old };
      const { index, input } = old;
      const line = { ...outcome, index, ...(input === undefined ? {} : { input }), batchId: by };
      const wanted = category === undefined || line.error?.category === category;
      if (wanted && (statuses?.includes(line.status) ?? true)) yield line;
    }
    page = [];
  };
  for await (const outcome of store.outcomes(batchId, { withInput })) {
    page.push(outcome);
    if (page.length === PAGE) yield* merged();
  }
  yield* merged();
}
