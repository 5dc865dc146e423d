import type { AssistantTurn, Turn } from '../../src/providers/turns.js';
import { RecentTurns } from '../../src/registry/recentTurns.js';

const said = (content: string): Turn => ({ role: 'user', content });

/** An answer's own turn, as every call returns it. */
const answered = (content: string, more: Partial<AssistantTurn> = {}): Turn => ({
  role: 'assistant',
  content,
  toolCalls: [],
  native: { kind: 'anthropic', content: [{ type: 'text', text: content }] },
  ...more,
});

const call = { id: 'a', name: 'look', arguments: {} };

test('a conversation that grows by what was answered shares all but what is new', () => {
  const recent = new RecentTurns();
  const turns = [said('1')];
  const shared = [recent.shared([...turns])];
  for (const n of ['2', '3', '4']) {
    turns.push(answered(`answer before ${n}`), said(n));
    // As it comes back from a store.
    const kept: Turn[] = JSON.parse(JSON.stringify(turns));
    shared.push(recent.shared(kept));
  }
  expect(shared).toEqual([0, 1, 3, 5]);
});

test('what is asked is never shared, nor what is only alike', () => {
  const recent = new RecentTurns();
  expect(recent.shared([said('a'), answered('b'), said('c')])).toBe(0);
  expect(recent.shared([said('a'), answered('b'), said('c')])).toBe(2);
  expect(
    recent.shared([said('a'), answered('b', { native: { kind: 'anthropic', content: 'signed' } }), said('c')]),
  ).toBe(1);
  expect(recent.shared([said('c')])).toBe(0);
});

test('turns with tools end what is shared: they need not be one message each', () => {
  const recent = new RecentTurns();
  const turns = [said('a'), answered('', { toolCalls: [call] }), said('b'), said('c')];
  recent.shared(turns);
  expect(recent.shared(turns)).toBe(1);
});

test('conversations that take turns are told apart, and the oldest is forgotten', () => {
  const recent = new RecentTurns();
  const start = (name: string): Turn[] => [said(name), answered('well'), said('more')];
  const names = Array.from({ length: 16 }, (_, i) => `conversation ${i}`);
  for (const name of names) recent.shared(start(name));
  const grown = names.map((name) => recent.shared([...start(name), answered('so'), said('and')]));
  expect(grown).toEqual(names.map(() => 3));
  recent.shared(start('one more'));
  expect(recent.shared(start('conversation 0'))).toBe(0);
  expect(recent.shared(start('conversation 15'))).toBe(2);
});
