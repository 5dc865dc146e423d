import { CircuitBreaker } from '../../src/limits/circuitBreaker.js';
import { openStore } from '../../src/store/openStore.js';
import type { Store } from '../../src/store/types.js';

describe('circuit breaker', () => {
  let store: Store;
  let clock = Date.now();
  beforeAll(async () => {
    store = await openStore('sqlite::memory:');
  });
  afterAll(() => store.close());

  const worker = () => new CircuitBreaker({ store, now: () => clock });
  /** Moves the time at which an endpoint is asked again. */
  const timePasses = (endpoint: string) =>
    store.changeCircuit(endpoint, (circuit, now) => ({ ...circuit, openUntil: Math.min(circuit.openUntil, now - 1) }));
  const stale = () => (clock += 1_000);
  /** What a process makes of it, as before a prompt. */
  const waitMs = async (one: CircuitBreaker | undefined, endpoint: string) => {
    await one?.look();
    return one?.waitMs(endpoint);
  };

  it('opens for every process after five failures in a row', async () => {
    const [one, two] = [worker(), worker()];
    for (let i = 0; i < 4; i += 1) await one.failed('a', 'down');
    expect(await waitMs(one, 'a')).toBe(0);
    await one.answered('a');
    for (let i = 0; i < 5; i += 1) await one.failed('a', 'down');
    expect(await waitMs(one, 'a')).toBeGreaterThan(50_000);
    expect(await waitMs(two, 'a')).toBeGreaterThan(50_000);
    expect(await two.enter('a', 1_000)).toBeGreaterThan(50_000);
    expect(await waitMs(two, 'b')).toBe(0);
    expect(await store.listCircuits()).toMatchObject([{ endpoint: 'a', failures: 5, reason: 'down' }]);
  });

  it('adds up what several processes see', async () => {
    const workers = [worker(), worker(), worker()];
    for (const one of workers) for (let i = 0; i < 2; i += 1) await one.failed('c', 'down');
    // The first of each told nobody yet.
    for (const one of workers) await one.failed('c', 'down');
    expect(await waitMs(workers[0], 'c')).toBeGreaterThan(50_000);
  });

  it('half-open, one prompt of the whole fleet goes; its answer closes the circuit everywhere', async () => {
    const [one, two] = [worker(), worker()];
    for (let i = 0; i < 5; i += 1) await one.failed('d', 'down');
    await timePasses('d');
    stale();
    expect(await two.enter('d', 5_000)).toBe(0);
    stale();
    expect(await one.enter('d', 5_000)).toBeGreaterThan(0);
    await two.leave('d');
    stale();
    expect(await one.enter('d', 5_000)).toBe(0);
    await one.answered('d');
    stale();
    expect(await waitMs(two, 'd')).toBe(0);
    expect((await store.listCircuits()).map(({ endpoint }) => endpoint)).not.toContain('d');
  });

  it('a failed probe opens it again, and somebody may ask for the next one at once', async () => {
    const one = worker();
    for (let i = 0; i < 5; i += 1) await one.failed('e', 'down');
    await timePasses('e');
    stale();
    expect(await one.enter('e', 5_000)).toBe(0);
    await one.failed('e', 'still down');
    expect(await waitMs(one, 'e')).toBeGreaterThan(50_000);
    expect(one.read('e')).toMatchObject({ failures: 6, failedProbes: 1, reason: 'still down' });
    await one.askSoon('e');
    expect(await one.enter('e', 5_000)).toBe(0);
  });

  it('says which batches wait', () => {
    const one = worker();
    one.holds('batch', 1_000);
    expect(one.isHolding('batch')).toBe(true);
    expect(one.isHolding('other')).toBe(false);
    stale();
    expect(one.isHolding('batch')).toBe(false);
  });
});
