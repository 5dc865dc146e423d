import fc from 'fast-check';
import { openStore } from '../../src/store/openStore.js';
import type { Store } from '../../src/store/types.js';
import type { Counters, OutcomeStatus } from '../../src/task/outcome.js';
import { addUsage, ZERO_USAGE, type Usage } from '../../src/task/usage.js';
import { all, loaded, outcome, reservation, settlement, USAGE } from './fixtures.js';

const ITEMS = 4;
const BUDGET = 6_500;

type Operation =
  | { readonly kind: 'reserve'; readonly index: number; readonly prompt: number; readonly worst: number }
  | {
      readonly kind: 'settle';
      readonly index: number;
      readonly prompt: number;
      readonly told: boolean;
      readonly spent: boolean;
      readonly ends: boolean;
    }
  | { readonly kind: 'unknown'; readonly index: number; readonly prompt: number }
  | { readonly kind: 'outcome'; readonly index: number; readonly status: OutcomeStatus }
  | { readonly kind: 'replace'; readonly index: number; readonly status: OutcomeStatus }
  | { readonly kind: 'close'; readonly index: number };

const index = fc.integer({ min: 0, max: ITEMS - 1 });
const prompt = fc.integer({ min: 1, max: 3 });
const status = fc.constantFrom<OutcomeStatus>('succeeded', 'partial', 'failed', 'notRun');
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('reserve'), index, prompt, worst: fc.integer({ min: 800, max: 1_200 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('settle'),
      index,
      prompt,
      told: fc.boolean(),
      spent: fc.boolean(),
      ends: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('unknown'), index, prompt }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('outcome'), index, status }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('replace'), index, status }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('close'), index }) },
);

const ERROR = { category: 'cancelled', message: 'over', retryable: false } as const;

async function perform(store: Store, id: string, op: Operation): Promise<void> {
  switch (op.kind) {
    case 'reserve':
      await store.reserve(
        reservation(id, op.index, { prompt: op.prompt, stage: op.prompt, worstNano: op.worst, budgetNano: BUDGET }),
      );
      return;
    case 'settle':
      await store.settle(
        settlement(id, op.index, {
          prompt: op.prompt,
          spent: op.spent,
          result: op.told ? 'valid' : 'network',
          usage: op.told ? USAGE : null,
          costNano: op.told ? 700 : null,
          outcome: op.ends ? outcome(id, op.index) : null,
        }),
      );
      return;
    case 'unknown':
      return store.markUnknown(id, op.index, op.prompt, ERROR);
    case 'outcome':
      await store.writeOutcome(outcome(id, op.index, { status: op.status }));
      return;
    case 'replace':
      return store.replaceOutcome(id, op.index, { status: op.status, output: 1, error: null });
    case 'close':
      await store.closeRange(id, 0, op.index, ERROR);
      return;
  }
}

/** The counters as the rows give them, through the store's own doors. */
async function recount(store: Store, id: string): Promise<Counters> {
  const journals = await Promise.all(Array.from({ length: ITEMS }, (_, item) => store.journal(id, item)));
  const rows = journals.flat();
  const spent = rows.filter((row) => row.state !== 'sent');
  const sent = rows.filter((row) => row.state === 'sent');
  const unknown = spent.filter((row) => row.costNano === null);
  const ended = await all(store.outcomes(id));
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
  const stages = new Map<number, { valid: number; invalid: number; error: number }>();
  for (const { stage, result } of spent) {
    const counts = stages.get(stage) ?? { valid: 0, invalid: 0, error: 0 };
    stages.set(stage, counts);
    counts[result === 'valid' ? 'valid' : 'error'] += 1;
  }
  const count = (wanted: OutcomeStatus): number => ended.filter((one) => one.status === wanted).length;
  return {
    items: ITEMS,
    succeeded: count('succeeded'),
    partial: count('partial'),
    failed: count('failed'),
    notRun: count('notRun'),
    prompts: spent.length,
    inFlight: sent.length,
    usage: spent.reduce<Usage>((total, row) => addUsage(total, row.usage ?? ZERO_USAGE), ZERO_USAGE),
    unknownPrompts: unknown.length,
    unpricedPrompts: 0,
    spentNano: sum(spent.map((row) => row.costNano ?? row.worstNano ?? 0)),
    unknownNano: sum(unknown.map((row) => row.worstNano ?? 0)),
    reservedNano: sum(sent.map((row) => row.worstNano ?? 0)),
    cacheSavingsNano: 50 * spent.filter((row) => row.state === 'settled').length,
    stages: Object.fromEntries(stages),
  };
}

/** Stages whose prompts were all taken back stay as zeros; they say nothing. */
function withoutEmptyStages(counters: Counters): Counters {
  const full = Object.entries(counters.stages).filter(([, { valid, invalid, error }]) => valid + invalid + error > 0);
  return { ...counters, stages: Object.fromEntries(full) };
}

/** Whatever happens, in whatever company: the counters are what the rows give, and the budget holds. */
export function propertyContract(url: () => string): void {
  it('keeps counters equal to a recount of the rows, whatever happens', async () => {
    const store = await openStore(url());
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(operation, { minLength: 1, maxLength: 6 }), { maxLength: 6 }),
        async (rounds) => {
          const id = await loaded(store, ITEMS);
          // Operations of a round run at the same time; some are refused, which must change nothing.
          for (const round of rounds) await Promise.allSettled(round.map((op) => perform(store, id, op)));
          const counters = await store.counters(id);
          expect(withoutEmptyStages(counters)).toEqual(await recount(store, id));
          expect(counters.spentNano + counters.reservedNano).toBeLessThanOrEqual(BUDGET);
        },
      ),
      { numRuns: 40 },
    );
    await store.close();
  });
}
