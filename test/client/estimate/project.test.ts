import { durationOf } from '../../../src/client/estimate/duration.js';
import { project, projectUsd, type SampledRecord } from '../../../src/client/estimate/project.js';
import { modelInfo } from '../../../src/models/catalog.js';
import { ZERO_USAGE } from '../../../src/task/usage.js';

const NOW = new Date('2026-11-21');

function record(inputTokens: number, outputTokens = 0): SampledRecord {
  const usage = { ...ZERO_USAGE, inputTokens, outputTokens };
  return { bytes: inputTokens * 4, prompts: [{ usage, times: 1, isFirst: true }] };
}

function tokensOf({ prompts }: SampledRecord): number {
  return prompts.reduce((sum, { usage }) => sum + usage.inputTokens, 0);
}

describe('project', () => {
  it('is exact and sure when every record was sampled', () => {
    const sample = [record(100), record(300)];
    expect(project(sample, { records: 2, bytes: 1600 }, tokensOf)).toEqual({ mean: 400, margin: 0 });
  });

  it('follows the sizes of the records that were not sampled', () => {
    const sample = [record(100), record(300), record(500)];
    const { mean, margin } = project(sample, { records: 10, bytes: 8000 }, tokensOf);
    expect(mean).toBe(2000);
    // What grows with the size exactly has no error.
    expect(margin).toBeCloseTo(0);
  });

  it('tells a part that is the same for every record from one that grows', () => {
    const fixed = (r: SampledRecord): number => 1000 + tokensOf(r);
    const sample = [record(100), record(300), record(350)];
    expect(project(sample, { records: 10, bytes: 4000 }, fixed).mean).toBeCloseTo(11_000);
  });

  it('weighs records alike when no sizes are known', () => {
    expect(project([record(100), record(300)], { records: 10, bytes: null }, tokensOf).mean).toBe(2000);
  });

  it('has a margin that shrinks with the sample', () => {
    const sizes = [120, 80, 200, 160, 90, 310, 140, 75];
    const sample = (n: number) => Array.from({ length: n }, (_, i) => ({ ...record(sizes[i % 8] ?? 1), bytes: 400 }));
    const margin = (n: number) => project(sample(n), { records: 10_000, bytes: 4_000_000 }, tokensOf).margin;
    expect(margin(80)).toBeLessThan(margin(8) / 2);
    expect(margin(8)).toBeGreaterThan(0);
  });

  it('is nothing for no records', () => {
    expect(project([], { records: 0, bytes: 0 }, tokensOf)).toEqual({ mean: 0, margin: 0 });
  });
});

describe('projectUsd', () => {
  it('prices each record in its own band', () => {
    // Above 100,000 tokens every token of this model costs five times as much.
    const info = modelInfo({ provider: 'anthropic', model: 'claude-haiku-5-5' }, NOW);
    const sample = [record(1000), record(200_000)];
    const usd = projectUsd(info, sample, { records: 2, bytes: 804_000 }, 'uncached')?.mean;
    expect(usd).toBeCloseTo((1000 * 0.1 + 200_000 * 0.5) / 1e6);
  });

  it('is null for an unknown price', () => {
    const info = modelInfo({ provider: 'compatible', model: 'x' }, NOW);
    expect(projectUsd(info, [record(1)], { records: 5, bytes: 20 }, 'cached')).toBeNull();
  });

  it('takes half for first prompts through a Batch API, and the full price for retries', () => {
    const info = modelInfo({ provider: 'openai', model: 'gpt-4.1' }, NOW);
    const own = { 'compatible/x': { prices: [{ input: 1, output: 2 }], batch: 0.3 } };
    const mine = modelInfo({ provider: 'compatible', model: 'x' }, NOW, undefined, own);
    expect(projectUsd(mine, [record(1000)], { records: 1, bytes: 1 }, 'batchApi')?.mean).toBeCloseTo(0.0003);
    const usage = { ...ZERO_USAGE, inputTokens: 1000 };
    const retried = {
      bytes: 1,
      prompts: [
        { usage, times: 1, isFirst: true },
        { usage, times: 0.5, isFirst: false },
      ],
    };
    const one = (mode: 'uncached' | 'batchApi') => projectUsd(info, [retried], { records: 1, bytes: 1 }, mode)?.mean;
    expect(one('batchApi')).toBeCloseTo(((one('uncached') ?? 0) * 2) / 3);
  });
});

describe('durationOf', () => {
  const usage = { inputTokens: 3_900_000, cachedInputTokens: 3_000_000, outputTokens: 100_000 };
  const load = {
    ...{ records: 1000, prompts: 1000, usage, concurrency: 50, limits: {}, outputTokens: 80 },
    execution: 'item' as const,
  };

  it('names what sets the pace', () => {
    expect(durationOf({ ...load, promptSeconds: 10 })).toMatchObject({ seconds: 210, limitedBy: 'concurrency' });
    expect(durationOf({ ...load, promptSeconds: 1, limits: { rpm: 100 } })).toMatchObject({
      seconds: 601,
      limitedBy: 'requests per minute',
    });
    expect(durationOf({ ...load, promptSeconds: 1, limits: { tpm: 100_000 } })).toMatchObject({
      seconds: 2401,
      limitedBy: 'tokens per minute',
    });
    expect(durationOf({ ...load, promptSeconds: 0.1 }).limitedBy).toBe('workflows');
    // What is read from a cache does not count where input is counted apart.
    expect(durationOf({ ...load, promptSeconds: 1, limits: { inputTpm: 10_000 } })).toMatchObject({
      seconds: 5401,
      limitedBy: 'input tokens per minute',
    });
    expect(durationOf({ ...load, promptSeconds: 1, limits: { outputTpm: 5000 } })).toMatchObject({
      seconds: 1201,
      limitedBy: 'output tokens per minute',
    });
  });

  it('knows that only retries of inline first prompts are workflows', () => {
    const inline = { ...load, promptSeconds: 0.01, execution: 'inline' as const };
    expect(durationOf(inline).limitedBy).toBe('worker');
    expect(durationOf({ ...inline, prompts: 1500 })).toMatchObject({ limitedBy: 'workflows' });
    expect(durationOf(inline).seconds * 5).toBeLessThan(durationOf({ ...inline, execution: 'item' }).seconds);
  });

  it('assumes a pace for a model that was never seen', () => {
    expect(durationOf({ ...load, promptSeconds: null }).promptSeconds).toBeCloseTo(1.8);
  });
});
