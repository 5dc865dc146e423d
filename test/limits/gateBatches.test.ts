import { GateBatches } from '../../src/limits/gateBatches.js';
import type { GateRequest } from '../../src/limits/types.js';

function request(batchId: string, more: Partial<GateRequest> = {}): GateRequest {
  return {
    pool: 'p',
    batchId,
    control: { version: 1, model: null, concurrency: 2, limits: {} },
    own: { weight: 1, limits: { rpm: 60 }, ahead: true },
    tokens: { input: 1, output: 1 },
    boundMs: 1_000,
    signal: new AbortController().signal,
    ...more,
  };
}

describe('batches at a gate', () => {
  let clock = 0;
  let batches = new GateBatches(() => clock);

  beforeEach(() => {
    clock = 10_000;
    batches = new GateBatches(() => clock);
  });

  /** How long after leaving the batches' limits still count. */
  function lingering(): number {
    const { lingerMs } = batches;
    batches.sweep();
    expect(batches.limits()).toEqual({ rpm: 60 });
    clock += lingerMs;
    batches.sweep();
    expect(batches.limits()).toEqual({});
    return lingerMs;
  }

  it('keep their limits for a moment after the last prompt', () => {
    batches.come(request('a'));
    expect(batches.lingerMs).toBe(Infinity);
    batches.leave('a');
    expect(batches.here()).toEqual([]);
    expect(lingering()).toBe(1_500);
    expect(batches.lingerMs).toBe(Infinity);
  });

  it('keep them longer when a prompt comes back', () => {
    batches.come(request('a'));
    batches.comesBack('a');
    clock += 2_000;
    batches.leave('a');
    expect(lingering()).toBe(8_000);
  });

  it('are forgotten once, whoever asks afterwards', () => {
    batches.come(request('a', { own: { weight: 1, limits: {}, ahead: true } }));
    batches.leave('a');
    clock += batches.lingerMs;
    batches.sweep();
    expect(batches.get('a')).toBeUndefined();
    batches.leave('a');
    batches.comesBack('a');
    batches.grant({ a: { granted: 1, shared: false } });
  });

  it('go by the newest control row, whoever brings it, over what is their own', () => {
    const batch = batches.come(request('a'));
    batch.grant({ granted: 9, shared: false });
    batch.start();
    expect(batch).toMatchObject({ weight: 1, room: 1, limits: { rpm: 60 }, model: null });
    batch.hear({ version: 3, model: 'anthropic/x', concurrency: 9, limits: { tpm: 5, rpm: 600 }, weight: 4 });
    batches.come(request('a'));
    expect(batch).toMatchObject({ weight: 4, room: 8, limits: { rpm: 600, tpm: 5 }, model: 'anthropic/x' });
    batch.hear({ version: 4, model: null, concurrency: 1, limits: {} });
    expect(batch).toMatchObject({ weight: 1, room: 0, limits: { rpm: 60 }, model: null });
  });
});
