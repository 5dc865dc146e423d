import { randomUUID } from 'node:crypto';
import { openStore } from '../../src/store/openStore.js';
import type { Store } from '../../src/store/types.js';
import type { ItemError } from '../../src/task/errors.js';
import { ZERO_USAGE } from '../../src/task/usage.js';
import {
  all,
  batchRow,
  CONTROL,
  loaded,
  outcome,
  record,
  records,
  reservation,
  settlement,
  USAGE,
} from './fixtures.js';

const CANCELLED: ItemError = { category: 'cancelled', message: 'The batch was cancelled.', retryable: false };
const LOST: ItemError = { category: 'network', message: 'The worker died.', retryable: true };

/** What every backend must do. `url` is read when the tests run. */
export function storeContract(url: () => string): void {
  let store: Store;

  beforeAll(async () => {
    store = await openStore(url());
  });
  afterAll(async () => {
    await store.close();
  });

  describe('tasks and batches', () => {
    it('keeps a task by its hash; a second time is no error', async () => {
      const hash = randomUUID();
      const spec = {
        name: 'tickets',
        model: 'anthropic/claude-sonnet-4-6',
        maxOutputTokens: 500,
        params: {},
        maxPrompts: 5,
        stages: [{ kind: 'full' as const, temperature: 0 }],
        promptTimeoutMs: 120_000,
        retryRefusals: false,
        includeMetadata: false,
        cache: { enabled: true },
        limits: {},
        functions: [],
      };
      await store.putTask(hash, spec);
      await store.putTask(hash, spec);
      expect(await store.getTask(hash)).toEqual(spec);
      expect(await store.getTask('unknown')).toBeUndefined();
    });

    it('claims a batch id once and shows the row', async () => {
      const id = randomUUID();
      expect(await Promise.all([store.createBatch(batchRow(id)), store.createBatch(batchRow(id))])).toEqual(
        expect.arrayContaining(['created', 'exists']),
      );
      await store.appendRecords(id, records(3));
      expect(await store.getBatch(id)).toMatchObject({ id, status: 'loading', items: 3, prepared: undefined });
      await store.finishLoading(id);
      await store.updateBatch(id, { status: 'running', statusReason: 'why', prepared: null, startedAt: 5 });
      expect(await store.getBatch(id)).toMatchObject({
        ...batchRow(id),
        status: 'running',
        statusReason: 'why',
        prepared: null,
        startedAt: 5,
        finishedAt: null,
      });
      expect((await store.listBatches(500)).map((row) => row.id)).toContain(id);
      expect(await store.getBatch('unknown')).toBeUndefined();
    });

    it('names the remedy for an unknown batch', async () => {
      await expect(store.counters('nope')).rejects.toMatchObject({ category: 'input' });
      await expect(store.updateBatch('nope', { status: 'running' })).rejects.toThrow('no batch "nope"');
      await expect(store.reserve(reservation('nope', 0))).rejects.toThrow('no batch "nope"');
    });

    it('lets no other store append to a batch that is being loaded, and discards it whole', async () => {
      const id = randomUUID();
      await store.createBatch(batchRow(id));
      await store.appendRecords(id, records(2));
      const other = await openStore(url());
      await expect(other.appendRecords(id, records(1, 2))).rejects.toMatchObject({ category: 'input' });
      await other.close();
      await store.discardBatch(id);
      expect(await store.getBatch(id)).toBeUndefined();
      expect(await store.createBatch(batchRow(id))).toBe('created');
      expect(await store.getRecord(id, 0)).toBeUndefined();
    });
  });

  describe('records without an outcome', () => {
    it('come with their prompts, whatever their size; the others are left out', async () => {
      const id = await loaded(store, 40);
      await store.reserve(reservation(id, 3));
      await store.settle(settlement(id, 3, { result: 'invalid', kept: { a: 1 } }));
      await store.reserve(reservation(id, 5));
      await store.writeOutcome(outcome(id, 7));
      const asked = Array.from({ length: 38 }, (_, i) => i + 1);
      const open = await all(store.openRecords(id, asked));
      expect(open.map((one) => one.record.index)).toEqual(asked.filter((index) => index !== 7));
      expect(open[2]?.record).toEqual(await store.getRecord(id, 3));
      expect(open[2]?.journal).toEqual(await store.journal(id, 3));
      expect(open[2]?.journal).toMatchObject([{ state: 'settled', result: 'invalid', kept: { a: 1 } }]);
      expect(open[4]?.journal).toMatchObject([{ state: 'sent' }]);
      expect(open[0]?.journal).toEqual([]);
      expect(await all(store.openRecords(id, []))).toEqual([]);
    });
  });

  describe('records', () => {
    it('gives back what was loaded, in chunks', async () => {
      const id = randomUUID();
      await store.createBatch(batchRow(id));
      const strange = record(1, { input: { text: 'naïve \0 \u2028 😀', big: 1e300 }, rendered: null, line: null });
      await store.appendRecords(id, [record(0), strange]);
      await store.appendRecords(id, records(2_500, 2));
      await store.finishLoading(id);
      const { id: recordId, input, rendered } = strange;
      expect(await store.getRecord(id, 1)).toEqual({ index: 1, id: recordId, line: null, input, rendered });
      expect(await store.getRecord(id, 2_501)).toMatchObject({ id: 'id-2501' });
      expect(await store.getRecord(id, 2_502)).toBeUndefined();
      expect(await store.pending(id, 2_500, 9_999)).toEqual([
        { index: 2_500, id: 'id-2500' },
        { index: 2_501, id: 'id-2501' },
      ]);
    });

    it('refuses a duplicate id in one chunk or over two, naming both lines', async () => {
      const id = randomUUID();
      await store.createBatch(batchRow(id));
      await expect(store.appendRecords(id, [record(0), record(4, { id: 'id-0', line: 5 })])).rejects.toMatchObject({
        category: 'input',
        message: 'The id "id-0" is used twice: line 1 and line 5.',
        options: { place: { file: 'tickets.jsonl', line: 5 } },
      });
      await store.appendRecords(id, records(3));
      await expect(store.appendRecords(id, [record(3), record(4, { id: 'id-1', line: null })])).rejects.toThrow(
        'The id "id-1" is used twice: line 2 and record 4.',
      );
      expect(await store.getBatch(id)).toMatchObject({ items: 3 });
      await expect(store.appendRecords(id, [record(3, { id: 'a\0b' })])).rejects.toMatchObject({ category: 'input' });
    });

    it('turns presets into outcomes that cost nothing', async () => {
      const id = randomUUID();
      await store.createBatch(batchRow(id));
      await store.appendRecords(id, [
        record(0, { preset: { kind: 'answer', output: { category: 'bug' } } }),
        record(1, { preset: { kind: 'skip', reason: 'empty text' } }),
        record(2),
      ]);
      await store.finishLoading(id);
      expect(await store.getOutcome(id, 0)).toEqual({
        index: 0,
        id: 'id-0',
        status: 'succeeded',
        output: { category: 'bug' },
        prompts: [],
        usage: ZERO_USAGE,
        costUsd: 0,
        workflowId: null,
        runId: null,
      });
      expect(await store.getOutcome(id, 1)).toMatchObject({
        status: 'notRun',
        output: null,
        error: { category: 'input', code: 'skipped', message: 'empty text', retryable: false },
      });
      expect(await store.counters(id)).toMatchObject({ items: 3, succeeded: 1, notRun: 1, prompts: 0 });
      expect(await store.pending(id, 0, 3)).toEqual([{ index: 2, id: 'id-2' }]);
    });

    it('adds items once per key', async () => {
      const id = await loaded(store, 2);
      const [one, same] = await Promise.all([
        store.addItems(id, 'key-1', records(3, 2)),
        store.addItems(id, 'key-1', records(3, 2)),
      ]);
      expect(one).toEqual({ from: 2, to: 5 });
      expect(same).toEqual(one);
      expect(await store.addItems(id, 'key-2', records(1, 5))).toEqual({ from: 5, to: 6 });
      await expect(store.addItems(id, 'key-3', [record(6, { id: 'id-0', line: null })])).rejects.toThrow(
        'The id "id-0" is used twice: line 1 and record 6.',
      );
      expect(await store.counters(id)).toMatchObject({ items: 6 });
    });

    it('reuses succeeded outcomes of the same task and record, the newest', async () => {
      const task = randomUUID();
      const first = await loaded(store, 3, task);
      await store.writeOutcome(outcome(first, 0, { output: 'old' }));
      await store.writeOutcome(outcome(first, 1, { status: 'failed', error: LOST }));
      const second = await loaded(store, 1, task);
      await store.writeOutcome(outcome(second, 0, { output: 'new' }));
      const third = await loaded(store, 4, task);
      await store.writeOutcome(outcome(third, 3, { output: 'own' }));
      expect(await store.reuseOutcomes(third, task)).toBe(1);
      expect(await store.getOutcome(third, 0)).toMatchObject({
        output: 'new',
        workflowId: null,
        prompts: [],
        costUsd: 0,
      });
      expect(await store.counters(third)).toMatchObject({ succeeded: 2, prompts: 0, spentNano: 0 });
      expect(await store.reuseOutcomes(third, task)).toBe(0);
      await store.addItems(third, 'more', [
        record(7, { id: 'more', input: record(2).input, rendered: record(2).rendered }),
      ]);
      await store.writeOutcome(outcome(first, 2, { output: 'late' }));
      expect(await store.reuseOutcomes(third, task)).toBe(2);
      expect(await store.getOutcome(third, 4)).toMatchObject({ output: 'late' });
      expect(await store.reuseOutcomes(await loaded(store, 2, task), randomUUID())).toBe(0);
    });
  });

  describe('journal and money', () => {
    it('reserves, settles and writes the outcome together', async () => {
      const id = await loaded(store, 1);
      expect(await store.reserve(reservation(id, 0))).toEqual({ ok: true });
      expect(await store.counters(id)).toMatchObject({ reservedNano: 1_000, spentNano: 0, prompts: 0 });
      const issues = [{ path: ['category'], message: 'is missing', code: 'required' }];
      await store.settle(settlement(id, 0, { result: 'invalid', issues, kept: { a: 1 }, outcome: outcome(id, 0) }));
      expect(await store.journal(id, 0)).toEqual([
        {
          prompt: 1,
          stage: 1,
          kind: 'full',
          variation: { temperature: 0 },
          model: 'anthropic/claude-sonnet-4-6',
          state: 'settled',
          result: 'invalid',
          issues,
          error: null,
          kept: { a: 1 },
          usage: USAGE,
          costNano: 700,
          worstNano: 1_000,
          latencyMs: 1234,
          reply: { text: '{}' },
          metadata: null,
        },
      ]);
      expect(await store.rawResponse(id, 0, 1)).toEqual({ id: 'msg_1' });
      expect(await store.rawResponse(id, 0, 2)).toBeUndefined();
      expect(await store.counters(id)).toMatchObject({
        succeeded: 1,
        prompts: 1,
        usage: USAGE,
        unknownPrompts: 0,
        spentNano: 700,
        reservedNano: 0,
        cacheSavingsNano: 50,
        stages: { 1: { valid: 0, invalid: 1, error: 0 } },
      });
      expect(await store.getOutcome(id, 0)).toMatchObject({
        status: 'succeeded',
        usage: USAGE,
        costUsd: 7e-7,
        prompts: [{ stage: 1, result: 'invalid', issues, costUsd: 7e-7, latencyMs: 1234 }],
      });
    });

    it('is idempotent', async () => {
      const id = await loaded(store, 1);
      await store.reserve(reservation(id, 0));
      expect((await store.counters(id)).reservedNano).toBe(1_000);
      await store.settle(settlement(id, 0));
      await store.settle(settlement(id, 0, { costNano: 9, outcome: outcome(id, 0) }));
      await store.settle(settlement(id, 0, { costNano: 9, outcome: outcome(id, 0, { status: 'failed' }) }));
      await store.markUnknown(id, 0, 1, LOST);
      expect(await store.counters(id)).toMatchObject({ spentNano: 700, reservedNano: 0, prompts: 1, succeeded: 1 });
      await expect(store.reserve(reservation(id, 0))).rejects.toThrow('was sent before');
      await expect(store.settle(settlement(id, 0, { prompt: 2 }))).rejects.toThrow('never reserved');
      expect(await store.writeOutcome(outcome(id, 0))).toBe(false);
    });

    it('lets one of two attempts send a prompt, and none once the record has its outcome', async () => {
      const id = await loaded(store, 1);
      const attempts = await Promise.allSettled([store.reserve(reservation(id, 0)), store.reserve(reservation(id, 0))]);
      expect(attempts.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
      await expect(store.reserve(reservation(id, 0))).rejects.toThrow('was sent before');
      await store.markUnknown(id, 0, 1, LOST);
      await store.settle(settlement(id, 0, { outcome: outcome(id, 0) }));
      expect(await store.reserve(reservation(id, 0, { prompt: 2 }))).toEqual({ ok: false, needsNano: null });
      expect(await store.counters(id)).toMatchObject({ prompts: 1, inFlight: 0, reservedNano: 0, spentNano: 700 });
    });

    it('gives a prompt back that reached no model', async () => {
      const id = await loaded(store, 1);
      await store.reserve(reservation(id, 0));
      const back = settlement(id, 0, { result: 'rate_limit', usage: null, costNano: 0, spent: false });
      await store.settle(back);
      await store.settle(back);
      expect(await store.journal(id, 0)).toEqual([]);
      expect(await store.counters(id)).toMatchObject({ prompts: 0, reservedNano: 0, spentNano: 0, stages: {} });
      expect(await store.reserve(reservation(id, 0))).toEqual({ ok: true });
    });

    it('charges the worst case while usage is unknown, and corrects it when a late answer comes', async () => {
      const id = await loaded(store, 2);
      await store.reserve(reservation(id, 0));
      await store.settle(settlement(id, 0, { result: 'network', usage: null, costNano: null, cacheSavingsNano: 0 }));
      await store.reserve(reservation(id, 1));
      await store.markUnknown(id, 1, 1, LOST);
      expect(await store.counters(id)).toMatchObject({
        prompts: 2,
        unknownPrompts: 2,
        spentNano: 2_000,
        reservedNano: 0,
        usage: ZERO_USAGE,
        stages: { 1: { valid: 0, invalid: 0, error: 2 } },
      });
      expect((await store.journal(id, 1))[0]).toMatchObject({ state: 'unknown', result: 'network', error: LOST });
      await store.writeOutcome(outcome(id, 1));
      expect(await store.getOutcome(id, 1)).toMatchObject({ costUsd: null });
      await store.settle(settlement(id, 1));
      expect(await store.counters(id)).toMatchObject({ prompts: 2, unknownPrompts: 1, spentNano: 1_700, usage: USAGE });
      expect(await store.getOutcome(id, 1)).toMatchObject({ costUsd: 7e-7, usage: USAGE });
    });

    it('never lets a budget be passed, and says which would do', async () => {
      const id = await loaded(store, 40);
      const other = await openStore(url());
      const asked = await Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          (index % 2 === 0 ? store : other).reserve(reservation(id, index, { budgetNano: 10_500 })),
        ),
      );
      await other.close();
      expect(asked.filter((answer) => answer.ok)).toHaveLength(10);
      expect(asked.find((answer) => !answer.ok)).toEqual({
        ok: false,
        needsNano: 11_000,
        limit: 'budget',
        committedNano: 10_000,
      });
      expect((await store.counters(id)).reservedNano).toBe(10_000);
      await expect(
        store.reserve(
          reservation(
            id,
            asked.findIndex((answer) => !answer.ok),
            { worstNano: null, budgetNano: 1 },
          ),
        ),
      ).rejects.toMatchObject({ category: 'budget' });
    });

    it('fails a bad member of a group alone', async () => {
      const id = await loaded(store, 4);
      const results = await Promise.allSettled([
        store.reserve(reservation(id, 0)),
        store.reserve(reservation(id, 99)),
        store.settle(settlement(id, 1)),
        store.writeOutcome(outcome(id, 2, { status: 'failed', output: null, error: { ...LOST, message: 'nul \0' } })),
      ]);
      expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
      expect(await store.counters(id)).toMatchObject({ reservedNano: 1_000, failed: 1 });
    });
  });

  describe('outcomes', () => {
    it('replaces an outcome, and the counters follow', async () => {
      const id = await loaded(store, 2);
      const error: ItemError = { category: 'review', code: 'odd', message: 'Look at this.', retryable: false };
      await store.writeOutcome(outcome(id, 0, { status: 'failed', output: null, error }));
      expect(await store.getOutcome(id, 0)).toMatchObject({ error });
      await store.replaceOutcome(id, 0, { status: 'succeeded', output: 42, error: null });
      const replaced = await store.getOutcome(id, 0);
      expect(replaced).toMatchObject({ status: 'succeeded', output: 42, workflowId: `${id}/0` });
      expect(replaced).not.toHaveProperty('error');
      expect(await store.counters(id)).toMatchObject({ succeeded: 1, failed: 0 });
      await expect(store.replaceOutcome(id, 1, { status: 'succeeded', output: 1, error: null })).rejects.toMatchObject({
        category: 'input',
      });
    });

    it('closes a range: every record gets its one outcome', async () => {
      const id = await loaded(store, 6);
      await store.reserve(reservation(id, 0));
      await store.settle(settlement(id, 0, { outcome: outcome(id, 0) }));
      await store.reserve(reservation(id, 1));
      await store.settle(settlement(id, 1, { result: 'invalid' }));
      await store.reserve(reservation(id, 2));
      const counts = { succeeded: 1, partial: 0, failed: 2, notRun: 2 };
      expect(await store.closeRange(id, 0, 5, CANCELLED)).toEqual(counts);
      expect(await store.closeRange(id, 0, 5, LOST)).toEqual(counts);
      const ended = await all(store.outcomes(id));
      expect(ended.map((one) => one.status)).toEqual(['succeeded', 'failed', 'failed', 'notRun', 'notRun']);
      expect(ended[3]).toMatchObject({ error: CANCELLED, output: null, workflowId: null });
      expect((await store.journal(id, 2))[0]).toMatchObject({ state: 'unknown', result: 'cancelled' });
      expect(await store.counters(id)).toMatchObject({
        ...counts,
        prompts: 3,
        unknownPrompts: 1,
        inFlight: 0,
        reservedNano: 0,
        spentNano: 2_400,
      });
    });

    it('streams outcomes in input order over many pages, filtered and with input', async () => {
      const id = await loaded(store, 1_203);
      const order = Array.from({ length: 1_203 }, (_, index) => (index * 601) % 1_203);
      await Promise.all(
        order.map((index) =>
          store.writeOutcome(
            outcome(id, index, index % 3 === 0 ? { status: 'failed', error: LOST, output: null } : {}),
          ),
        ),
      );
      const everything = await all(store.outcomes(id));
      expect(everything.map((one) => one.index)).toEqual(order.toSorted((a, b) => a - b));
      const failed = await all(store.outcomes(id, { statuses: ['failed'], withInput: true }));
      expect(failed).toHaveLength(401);
      expect(failed[1]).toMatchObject({ index: 3, input: { text: 'Ticket 3' } });
      expect(await all(store.outcomes(id, { statuses: [] }))).toEqual([]);
      expect(await store.failureGroups(id)).toEqual([
        { category: 'network', code: null, count: 401, examples: [0, 3, 6], message: LOST.message },
      ]);
    });

    it('gives every text and number back as it was stored', async () => {
      const odd = 'Ü "q" \\ \u2028 \n \u0001 \ufffd 😀 {"x":1}';
      const input = { [odd]: [odd, 1e21, 0.1, null, true] };
      const output = { [odd]: [Number.MAX_SAFE_INTEGER, -0.5, '9007199254740993', '\0'] };
      const error = { category: 'unknown', code: odd, message: odd, retryable: true } as const;
      const { id } = batchRow(`odd-${randomUUID()}`);
      await store.createBatch(batchRow(id));
      await store.appendRecords(id, [record(0, { id: odd, input })]);
      await store.finishLoading(id);
      await store.writeOutcome(outcome(id, 0, { status: 'failed', output, error }));
      const [streamed] = await all(store.outcomes(id, { withInput: true }));
      expect(streamed).toEqual({ ...(await store.getOutcome(id, 0)), input });
      expect(streamed).toMatchObject({ id: odd, output, error });
    });

    it('follows outcomes in the order they were written, also those of a closed range', async () => {
      const id = await loaded(store, 5);
      await store.writeOutcome(outcome(id, 3));
      await store.writeOutcome(outcome(id, 1));
      const first = await store.outcomesSince(id, 0, 1);
      expect(first.outcomes.map((one) => one.index)).toEqual([3]);
      await store.closeRange(id, 0, 5, CANCELLED);
      const rest = await store.outcomesSince(id, first.cursor, 100);
      expect(rest.outcomes.map((one) => one.index)).toEqual([1, 0, 2, 4]);
      expect(await store.outcomesSince(id, rest.cursor, 100)).toEqual({ outcomes: [], cursor: rest.cursor });
    });
  });

  describe('control', () => {
    it('publishes versions, never an older one', async () => {
      const id = await loaded(store, 1);
      expect(await store.readControl(id)).toBeUndefined();
      await store.publishControl(id, { ...CONTROL, version: 3, cancelled: [1, 2] });
      await store.publishControl(id, { ...CONTROL, version: 2 });
      expect(await store.readControl(id)).toEqual({ ...CONTROL, version: 3, cancelled: [1, 2] });
    });

    it('folds a halt into the pause until a newer version comes', async () => {
      const id = await loaded(store, 1);
      const pause = { reason: 'authentication' as const, message: 'The key is wrong.', since: 5 };
      await store.publishControl(id, { ...CONTROL, version: 4 });
      const halts = await Promise.all([store.halt(id, 4, pause), store.halt(id, 4, pause), store.halt(id, 3, pause)]);
      expect(halts.filter(Boolean)).toHaveLength(1);
      expect((await store.readControl(id))?.paused).toEqual(pause);
      // A repeated activity publishes the same version: it hasn't seen the halt.
      await store.publishControl(id, { ...CONTROL, version: 4 });
      expect((await store.readControl(id))?.paused).toEqual(pause);
      await store.publishControl(id, { ...CONTROL, version: 5 });
      expect((await store.readControl(id))?.paused).toBeNull();
      expect(await store.halt(id, 5, pause)).toBe(true);
    });
  });
}
