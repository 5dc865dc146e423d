import fc from 'fast-check';
import { RoundRobin } from '../../src/limits/roundRobin.js';

function served(queues: RoundRobin<string, number>, may: (key: string) => boolean = () => true): readonly string[] {
  const order: string[] = [];
  for (let next = queues.peek(may); next !== undefined; next = queues.peek(may)) {
    order.push(`${next.key}${next.value}`);
    expect(queues.take(next.key)).toBe(next.value);
  }
  return order;
}

describe('RoundRobin', () => {
  it('serves keys in turn and each key in order', () => {
    const queues = new RoundRobin<string, number>();
    for (const value of [1, 2, 3]) queues.push('a', value);
    queues.push('b', 1);
    queues.push('c', 1);
    queues.push('c', 2);
    expect(queues.size).toBe(6);
    expect(served(queues)).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3']);
    expect(queues.size).toBe(0);
    expect(queues.keys()).toEqual([]);
  });

  it('passes over keys that may not be served', () => {
    const queues = new RoundRobin<string, number>();
    queues.push('a', 1);
    queues.push('b', 1);
    queues.push('b', 2);
    expect(served(queues, (key) => key === 'b')).toEqual(['b1', 'b2']);
    expect(queues.of('a')).toEqual([1]);
  });

  it('takes values out wherever they stand', () => {
    const queues = new RoundRobin<string, number>();
    for (const value of [1, 2, 3]) queues.push('a', value);
    queues.remove('a', 2);
    queues.remove('a', 9);
    queues.remove('z', 1);
    expect(queues.size).toBe(2);
    expect(served(queues)).toEqual(['a1', 'a3']);
    expect(queues.take('a')).toBeUndefined();
  });

  it('lets nobody wait longer than one turn of the others', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 60 }), (keys) => {
        const queues = new RoundRobin<string, number>();
        keys.forEach((key, value) => queues.push(key, value));
        const order = served(queues).map((text) => text.charAt(0));
        for (const key of new Set(keys)) {
          const turns = order.flatMap((served, at) => (served === key ? [at] : []));
          turns.slice(1).forEach((at, turn) => expect(at - (turns[turn] ?? 0)).toBeLessThanOrEqual(3));
        }
        expect(order).toHaveLength(keys.length);
      }),
    );
  });

  it('serves keys by weight, and lets nobody claim what was served while it was away', () => {
    const queues = new RoundRobin<string, number>();
    for (let value = 1; value <= 8; value += 1) queues.push('a', value);
    queues.weigh('b', 3);
    for (let value = 1; value <= 6; value += 1) queues.push('b', value);
    const order = served(queues).map((text) => text.charAt(0));
    expect(order.slice(0, 8).filter((key) => key === 'b')).toHaveLength(6);
    queues.push('c', 1);
    queues.push('c', 2);
    queues.push('a', 9);
    queues.forget('a');
    expect(served(queues).map((text) => text.charAt(0))).toEqual(['c', 'a', 'c']);
    queues.forget('c');
    expect(queues.of('c')).toEqual([]);
  });
});
