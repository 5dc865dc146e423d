import { ToldLimits } from '../../src/limits/toldLimits.js';

describe('told limits', () => {
  it('pass changes on, at most once a second for each model, and what stays every 20 seconds', async () => {
    let clock = 0;
    const told: unknown[] = [];
    const limits = new ToldLimits(
      (pool, model, { rpm }) => {
        told.push([clock, pool, model, rpm]);
        return Promise.resolve();
      },
      () => clock,
    );
    for (clock = 0; clock < 30_000; clock += 250) {
      await limits.hear('p', 'big', { rpm: 50 });
      await limits.hear('p', 'small', { rpm: clock < 500 ? 3_000 : 4_000 });
    }
    expect(told).toEqual([
      [0, 'p', 'big', 50],
      [0, 'p', 'small', 3_000],
      [1_000, 'p', 'small', 4_000],
      [20_000, 'p', 'big', 50],
      [21_000, 'p', 'small', 4_000],
    ]);
  });
});
