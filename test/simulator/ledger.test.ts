import fc from 'fast-check';
import { knownModels, modelInfo } from '../../src/models/catalog.js';
import { costNano } from '../../src/models/cost.js';
import { parseModelRef } from '../../src/models/modelRef.js';
import { Ledger, priceOf } from '../../src/simulator/ledger.js';
import type { LedgerEntry } from '../../src/simulator/index.js';
import type { Usage } from '../../src/task/usage.js';
import { askAnthropic, askGemini, askOpenai, at, simulate, stopAll } from './wire.js';

afterAll(stopAll);

const usage: Usage = {
  inputTokens: 10_000,
  cachedInputTokens: 6000,
  cacheWriteTokens: 3000,
  cacheWrite1hTokens: 1000,
  outputTokens: 500,
  thinkingTokens: 100,
};

describe('the price of a request', () => {
  it('is by hand: Claude Sonnet 4.6 at $3 in, $15 out, 0.1 for reading, 1.25 and 2 for writing', () => {
    const info = modelInfo({ provider: 'anthropic', model: 'claude-sonnet-4-6' }, new Date('2026-11-21'));
    const dollars = (1000 * 3 + 6000 * 0.3 + 2000 * 3.75 + 1000 * 6 + 500 * 15) / 1e6;
    expect(priceOf(info, usage)).toBe(Math.round(dollars * 1e9));
  });

  it('follows the size of the prompt: Haiku 5.5 costs five times as much above 100,000 tokens', () => {
    const info = modelInfo({ provider: 'anthropic', model: 'claude-haiku-5-5' }, new Date('2026-11-21'));
    const plain = { ...usage, cachedInputTokens: 0, cacheWriteTokens: 0, cacheWrite1hTokens: 0 };
    const cheap = priceOf(info, { ...plain, inputTokens: 100_000 });
    expect(cheap).toBe(100_000 * 100 + 500 * 500);
    expect(priceOf(info, { ...plain, inputTokens: 100_001 })).toBe(100_001 * 500 + 500 * 2500);
  });

  it("is unknown, not nothing, without a price list, and nothing on one's own machine", () => {
    expect(priceOf(modelInfo({ provider: 'compatible', model: 'x' }, new Date()), usage)).toBeNull();
    expect(priceOf(modelInfo({ provider: 'ollama', model: 'x' }, new Date()), usage)).toBe(0);
  });

  it('agrees with what clients compute, for every model and any usage', () => {
    const day = new Date('2026-11-21');
    const count = fc.integer({ min: 0, max: 200_000 });
    const usages = fc
      .tuple(count, count, count, count, count)
      .map(([plain, cachedInputTokens, write5m, write1h, outputTokens]): Usage => ({
        inputTokens: plain + cachedInputTokens + write5m + write1h,
        cachedInputTokens,
        cacheWriteTokens: write5m + write1h,
        cacheWrite1hTokens: write1h,
        outputTokens,
        thinkingTokens: 0,
      }));
    fc.assert(
      fc.property(fc.constantFrom(...knownModels()), usages, (name, used) => {
        const info = modelInfo(parseModelRef(name), day);
        expect(priceOf(info, used)).toBe(costNano(info, used));
      }),
      { numRuns: 1500 },
    );
  });
});

describe('the ledger', () => {
  const entry: Omit<LedgerEntry, 'n'> = {
    at: 0,
    provider: 'openai',
    model: 'gpt-4.1',
    promptHash: '0',
    inputTokens: 1,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    cacheWrite1hTokens: 0,
    outputTokens: 2,
    costNanoUsd: 3,
    status: 200,
    fault: null,
    requestBytes: 4,
  };

  it('keeps the last 100,000 entries, and totals for ever', () => {
    const ledger = new Ledger();
    for (let i = 0; i < 100_250; i += 1) ledger.bill(entry);
    const entries = ledger.entries();
    expect(entries).toHaveLength(100_000);
    expect([entries[0]?.n, entries.at(-1)?.n]).toEqual([251, 100_250]);
    expect(ledger.totals()).toMatchObject({ requests: 100_250, outputTokens: 200_500, costNanoUsd: 300_750 });
  });

  it('counts what has no price apart', () => {
    const ledger = new Ledger();
    ledger.bill(entry);
    ledger.bill({ ...entry, model: 'other', costNanoUsd: null, fault: 'empty' });
    ledger.unbilled('reset');
    expect(ledger.totals()).toMatchObject({
      requests: 2,
      costNanoUsd: 3,
      unpriced: 1,
      byModel: { 'openai/gpt-4.1': { requests: 1, unpriced: 0 }, 'openai/other': { requests: 1, unpriced: 1 } },
      faults: { empty: 1 },
      unbilled: { reset: 1 },
    });
  });

  it('says what the replies said', async () => {
    const { url, ledger } = await simulate();
    const anthropic = at((await askAnthropic(url)).body, 'usage');
    const gemini = at((await askGemini(url)).body, 'usageMetadata');
    const openai = at((await askOpenai(url)).body, 'usage');
    const [first, second, third] = ledger();
    expect(anthropic).toMatchObject({ input_tokens: first?.inputTokens, output_tokens: first?.outputTokens });
    expect(gemini).toMatchObject({ promptTokenCount: second?.inputTokens, candidatesTokenCount: second?.outputTokens });
    expect(openai).toMatchObject({ prompt_tokens: third?.inputTokens, completion_tokens: third?.outputTokens });
    expect(first).toMatchObject({ n: 1, provider: 'anthropic', model: 'claude-sonnet-4-6', status: 200, fault: null });
    expect(first?.costNanoUsd).toBe((first?.inputTokens ?? 0) * 3000 + (first?.outputTokens ?? 0) * 15_000);
  });
});
