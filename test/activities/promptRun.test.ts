import { until } from '../support/bench.js';
import { PromptBench } from '../support/promptBench.js';

describe('a prompt', () => {
  let bench: PromptBench;
  afterEach(() => bench.close());

  test('that meets a rate limit closes this process to others at once, however slow the store is', async () => {
    let settling = false;
    let goOn: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    bench = await PromptBench.open(3, {
      scenario: { rates: { rateLimit: 1 }, retryAfterSeconds: 60 },
      slowed: (store) => ({
        ...store,
        settle: async (settlement) => {
          settling = true;
          await held;
          return store.settle(settlement);
        },
      }),
    });
    const first = bench.prompt(0);
    await until(() => Promise.resolve(settling));
    await expect(bench.prompt(1)).rejects.toMatchObject({ why: { kind: 'wait', message: 'waiting for cooldown' } });
    expect(bench.sim.totals().unbilled).toEqual({ rateLimit: 1 });
    // Other processes don't wait for the journal either.
    await until(async () => (await bench.store.listPools()).some(({ cooldownUntil }) => cooldownUntil > Date.now()));
    goOn();
    await expect(first).rejects.toMatchObject({ why: { kind: 'wait', type: 'RateLimited', waits: 1 } });
    expect(await bench.store.journal(bench.batchId, 0)).toEqual([]);
  });

  test('that waits for its turn is made anew when another model is set', async () => {
    bench = await PromptBench.open(2, { pools: { slow: { models: ['anthropic/claude-sonnet-*'], rpm: 1 } } });
    await bench.prompt(0);
    const second = bench.prompt(1);
    await until(() => Promise.resolve(bench.gate.limiter(bench.batchId) === 'requests per minute'));
    await bench.steer({ model: 'anthropic/claude-haiku-4-5' });
    expect((await second).result).toMatchObject({ model: 'anthropic/claude-haiku-4-5', verdict: 'valid' });
    const { byModel, requests } = bench.sim.totals();
    expect({ requests, models: Object.keys(byModel).length }).toEqual({ requests: 2, models: 2 });
  });
});
