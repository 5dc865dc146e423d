import fc from 'fast-check';
import { advance, currentStage, initialState, planOf } from '../../src/recovery/ladder.js';
import type { ItemPlan, PromptEvent, PromptReport, RetryStateData, Step } from '../../src/recovery/types.js';
import { defineTask } from '../../src/task/defineTask.js';
import { ERROR_CATEGORIES, type ErrorCategory } from '../../src/task/errors.js';
import type { JsonObject } from '../../src/task/json.js';
import type { Usage } from '../../src/task/usage.js';

const plan: ItemPlan = planOf(defineTask({ name: 't', model: 'compatible/m', prompt: 'x' }).spec);

const usage: Usage = {
  inputTokens: 10,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  cacheWrite1hTokens: 0,
  outputTokens: 5,
  thinkingTokens: 0,
};

function report(state: RetryStateData, event: PromptEvent, facts: Partial<PromptReport> = {}): PromptReport {
  return { event, promptsUsed: state.promptsUsed + 1, usage, costNano: 100, user: {}, ...facts };
}

function invalid(
  kept: JsonObject | null,
  path: readonly (string | number)[] = ['age'],
  keptRef: number | null = null,
): PromptEvent {
  return { kind: 'invalid', issues: [{ path, message: 'must be a number', code: 'type' }], kept, keptRef };
}

function error(category: ErrorCategory, retryable: boolean): PromptEvent {
  return { kind: 'error', error: { category, message: `it was ${category}`, retryable } };
}

/** The state after some prompts that do not end the item. */
function after(events: readonly PromptEvent[], on: ItemPlan = plan): RetryStateData {
  return events.reduce((state, event) => {
    const step = advance(on, state, report(state, event));
    expect(step.next).toBe('prompt');
    return step.state;
  }, initialState(on));
}

function last(events: readonly PromptEvent[], on: ItemPlan = plan): Step {
  const state = after(events.slice(0, -1), on);
  const event = events.at(-1);
  if (event === undefined) throw new Error('no event');
  return advance(on, state, report(state, event));
}

describe('the ladder', () => {
  it('starts with a full stage at temperature 0', () => {
    expect(currentStage(plan, initialState(plan))).toEqual({ kind: 'full', temperature: 0 });
  });

  it('ends with a valid answer', () => {
    expect(last([{ kind: 'valid' }])).toMatchObject({ next: 'finish', status: 'succeeded', state: { promptsUsed: 1 } });
  });

  it('climbs full, partial, full @0.25, partial @0.25, and repeats the last rung', () => {
    const events = Array<PromptEvent>(4).fill(invalid({ name: 'Ada' }));
    const stages = events.map((_, i) => currentStage(plan, after(events.slice(0, i + 1))));
    expect(stages).toEqual([
      { kind: 'partial', temperature: 0 },
      { kind: 'full', temperature: 0.25 },
      { kind: 'partial', temperature: 0.25 },
      { kind: 'partial', temperature: 0.25 },
    ]);
  });

  it('ends after five prompts as partial when there are valid fields', () => {
    const step = last(Array<PromptEvent>(5).fill(invalid({ name: 'Ada' })));
    expect(step).toMatchObject({ next: 'finish', status: 'partial', state: { kept: { name: 'Ada' }, promptsUsed: 5 } });
    expect(step).toMatchObject({ error: { category: 'invalid_output' } });
    expect('error' in step && step.error.message).toMatch(/^Exceeded max prompts: 5\/5; last: age: must be a number/);
  });

  it('ends after five prompts as failed when nothing is valid, on full rungs only', () => {
    const events = Array<PromptEvent>(5).fill(invalid(null, []));
    expect(after(events.slice(0, 1)).stage).toBe(2);
    expect(after(events.slice(0, 4)).stage).toBe(2);
    expect(last(events)).toMatchObject({ next: 'finish', status: 'failed' });
  });

  it('skips partial rungs when more parts failed than are valid', () => {
    const issues = ['a', 'b', 'c'].map((key) => ({ path: [key], message: 'is missing', code: 'required' }));
    expect(after([{ kind: 'invalid', issues, kept: { d: 1, e: 2 }, keptRef: null }]).stage).toBe(2);
    expect(after([{ kind: 'invalid', issues, kept: { d: 1, e: 2, f: 3 }, keptRef: null }]).stage).toBe(1);
  });

  it('takes partial rungs for kept fields that wait in the journal', () => {
    const state = after([invalid(null, ['age'], 1)]);
    expect(state).toMatchObject({ stage: 1, kept: null, keptRef: 1 });
    expect(after([invalid(null, ['age'], 1), invalid(null, ['age'], 2)])).toMatchObject({ keptRef: 2 });
  });

  it('keeps the better answer and its issues', () => {
    const good = invalid({ a: 1, b: 2, c: 3 });
    const worse = invalid({ a: 1 }, ['b']);
    expect(after([good, worse])).toMatchObject({ kept: { a: 1, b: 2, c: 3 }, issues: [{ path: ['age'] }] });
    expect(after([worse, good])).toMatchObject({ kept: { a: 1, b: 2, c: 3 }, issues: [{ path: ['age'] }] });
    expect(after([good, invalid(null, [])])).toMatchObject({ kept: { a: 1, b: 2, c: 3 } });
  });

  it.each(['network', 'timeout', 'server_error'] as const)('asks the same stage again after %s', (category) => {
    expect(after([error(category, true)])).toMatchObject({ stage: 0, promptsUsed: 1 });
    const step = last(Array<PromptEvent>(5).fill(error(category, true)));
    expect(step).toMatchObject({ next: 'finish', status: 'failed', error: { category } });
    expect('error' in step && step.error.message).toBe(`Exceeded max prompts: 5/5; last: it was ${category}`);
  });

  it('asks the same stage again after a lost prompt, and counts it', () => {
    const lost: PromptEvent = { kind: 'lost', error: { category: 'unknown', message: 'worker lost', retryable: true } };
    expect(after([invalid({ name: 'Ada' }), lost])).toMatchObject({ stage: 1, promptsUsed: 2, kept: { name: 'Ada' } });
  });

  it('raises the output cap on the same stage after a truncation, up to eight times', () => {
    const cut = error('truncated', false);
    expect(after([cut])).toMatchObject({ stage: 0, maxOutputTokens: 2048 });
    expect(after([cut, cut, cut])).toMatchObject({ stage: 0, maxOutputTokens: 8192 });
    expect(after([cut, cut, cut, cut])).toMatchObject({ stage: 2, maxOutputTokens: 8192 });
    expect(last([cut, cut, cut, cut, cut])).toMatchObject({ status: 'failed', error: { category: 'truncated' } });
  });

  it('climbs after an empty answer and ends as invalid output', () => {
    const empty = error('empty', true);
    expect(after([empty])).toMatchObject({ stage: 2 });
    expect(last(Array<PromptEvent>(5).fill(empty))).toMatchObject({ error: { category: 'invalid_output' } });
  });

  it.each(['refusal', 'safety'] as const)('ends with %s unless it may be retried', (category) => {
    expect(last([error(category, true)])).toMatchObject({ next: 'finish', status: 'failed', error: { category } });
    expect(after([error(category, false)], { ...plan, retryRefusals: true })).toMatchObject({ stage: 2 });
  });

  it.each(['context_length', 'content_too_large', 'invalid_request', 'unknown'] as const)(
    'ends with %s',
    (category) => {
      expect(last([error(category, false)])).toMatchObject({ next: 'finish', status: 'failed', error: { category } });
    },
  );

  it('ends with an error as partial when an earlier answer had valid fields, but not when a person is to look', () => {
    const good = invalid({ name: 'Ada' });
    expect(last([good, error('refusal', false)])).toMatchObject({ status: 'partial', error: { category: 'refusal' } });
    expect(last([good, error('review', false)])).toMatchObject({ status: 'failed', error: { category: 'review' } });
  });

  it('sums usage and cost; one unknown cost makes the sum unknown', () => {
    const first = advance(plan, initialState(plan), report(initialState(plan), invalid(null)));
    expect(first.state).toMatchObject({ usage, costNano: 100 });
    const second = advance(plan, first.state, report(first.state, invalid(null), { usage: null, costNano: null }));
    expect(second.state).toMatchObject({ usage, costNano: null });
    const third = advance(plan, second.state, report(second.state, { kind: 'valid' }));
    expect(third.state).toMatchObject({ costNano: null, usage: { inputTokens: 20, outputTokens: 10 } });
  });

  it('carries what the user keeps', () => {
    const start = initialState(plan);
    expect(advance(plan, start, report(start, error('network', true), { user: { tries: 1 } })).state.user).toEqual({
      tries: 1,
    });
  });

  it('works for a ladder of one rung', () => {
    const one: ItemPlan = { ...plan, stages: [{ kind: 'full' }], maxPrompts: 2 };
    expect(after([invalid({ a: 1 })], one).stage).toBe(0);
    expect(last([invalid({ a: 1 }), invalid({ a: 1 })], one)).toMatchObject({ status: 'partial' });
  });
});

const events: fc.Arbitrary<PromptEvent> = fc.oneof(
  fc.constant<PromptEvent>({ kind: 'valid' }),
  fc
    .record({
      kept: fc.option(fc.dictionary(fc.string(), fc.integer())),
      paths: fc.array(fc.array(fc.string()), { maxLength: 4 }),
      ref: fc.option(fc.nat(5)),
    })
    .map(({ kept, paths, ref }): PromptEvent => {
      const issues = paths.map((path) => ({ path, message: 'wrong', code: 'type' }));
      return { kind: 'invalid', issues, kept: ref === null ? kept : null, keptRef: ref };
    }),
  fc
    .tuple(fc.constantFrom(...ERROR_CATEGORIES), fc.boolean())
    .map(([category, retryable]) => error(category, retryable)),
);

describe('any course of an item', () => {
  it('ends within its prompts, stays on the ladder, keeps JSON, and never loses all valid fields', () => {
    fc.assert(
      fc.property(
        fc.infiniteStream(events),
        fc.integer({ min: 1, max: 20 }),
        fc.boolean(),
        (stream, maxPrompts, retryRefusals) => {
          const on: ItemPlan = { ...plan, maxPrompts, retryRefusals };
          let state = initialState(on);
          for (;;) {
            const [event] = stream.take(1);
            if (event === undefined) throw new Error('the stream ended');
            const had = state.kept !== null || state.keptRef !== null;
            const step = advance(on, state, report(state, event));
            expect(JSON.parse(JSON.stringify(step))).toEqual(step);
            expect(step.state.stage).toBeLessThan(on.stages.length);
            expect(step.state.promptsUsed).toBeLessThanOrEqual(maxPrompts);
            if (had) expect(step.state.kept !== null || step.state.keptRef !== null).toBe(true);
            if (step.next === 'finish') {
              expect(step.error === undefined).toBe(step.status === 'succeeded');
              return;
            }
            state = step.state;
          }
        },
      ),
    );
  });
});
