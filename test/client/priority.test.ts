import { priorityOf } from '../../src/client/priority.js';

const options = { concurrency: 5, execution: 'item', budgetNano: null, onBudget: 'pause', deadline: null } as const;
const of = (items: number, more: { readonly open?: boolean; readonly weight?: number } = {}, id = 'batch') =>
  priorityOf({ id, items, options: { ...options, open: false, ...more } });

test('small batches come first, large ones last; an open one may still grow', () => {
  expect(of(100).priorityKey).toBe(2);
  expect(of(101).priorityKey).toBe(3);
  expect(of(10_000).priorityKey).toBe(4);
  expect(of(1, { open: true }).priorityKey).toBe(3);
});

test('batches share by weight, under a key that fits', () => {
  expect(of(1)).toMatchObject({ fairnessKey: 'batch', fairnessWeight: 1 });
  expect(of(1, { weight: 3 }, 'x'.repeat(80) + '-12345678').fairnessKey).toHaveLength(64);
  expect(of(1, { weight: 3 }).fairnessWeight).toBe(3);
});
