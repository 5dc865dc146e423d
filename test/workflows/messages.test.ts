import type { Control } from '../../src/store/types.js';
import { controlSummary } from '../../src/workflows/summaries.js';
import { isIndex, readReason } from '../../src/workflows/validate.js';
import { CONTROL } from '../store/fixtures.js';

const control: Control = { ...CONTROL, version: 3 };

test('history tells what each message changed', () => {
  expect(controlSummary(control)).toBe('v3 running, 50 in flight');
  expect(controlSummary({ ...control, stop: 'deadline' })).toBe('v3 stop: deadline');
  expect(controlSummary({ ...control, paused: { reason: 'user', message: 'lunch', since: 1 } })).toBe(
    'v3 paused: user',
  );
  const changed = {
    ...control,
    budgetNano: 2_500_000_000,
    model: 'openai/gpt-5-mini',
    deadline: Date.parse('2027-01-31T12:00:00Z'),
    limits: { rpm: 600 },
    cancelled: [4, 7],
  };
  expect(controlSummary(changed)).toBe(
    'v3 running, 50 in flight · budget $2.5 · model openai/gpt-5-mini · until 2027-01-31T12:00:00.000Z · rpm 600 · 2 cancelled',
  );
});

test.each([0, 17])('%p is a record', (value) => expect(isIndex(value)).toBe(true));
test.each([-1, 1.5, '3', null, undefined])('%p is none', (value) => expect(isIndex(value)).toBe(false));

test('a pause has the reason it was given in words', () => {
  expect(readReason({ reason: 'lunch' })).toBe('lunch');
  for (const other of [undefined, null, 'lunch', { reason: 3 }, { reason: '' }]) {
    expect(readReason(other)).toBeUndefined();
  }
});
