import { pilotSample } from '../../../src/client/estimate/pilot.js';
import { modelInfo } from '../../../src/models/catalog.js';
import { costNano } from '../../../src/models/cost.js';
import type { PromptRecord } from '../../../src/task/outcome.js';
import { type Usage, ZERO_USAGE } from '../../../src/task/usage.js';

const info = modelInfo({ provider: 'anthropic', model: 'claude-sonnet-4-6' }, new Date('2026-11-27'));

function prompt(kind: 'full' | 'partial', usage: Partial<Usage>): PromptRecord {
  return {
    stage: 1,
    kind,
    variation: {},
    model: 'anthropic/claude-sonnet-4-6',
    result: 'valid',
    usage: { ...ZERO_USAGE, inputTokens: 5200, ...usage },
    costUsd: null,
    latencyMs: null,
  };
}

const record = { id: '', line: null, input: null, rendered: null };

test.each([
  ['5m', 0],
  ['1h', 5000],
] as const)('a pilot whose cache lives %s is projected with writes of that life', (life, cacheWrite1hTokens) => {
  const written = { cacheWriteTokens: 5000, cacheWrite1hTokens };
  const prompts = [prompt('full', written), prompt('partial', written)];
  const drawn = [{ index: 0, record, value: null, bytes: 1 }];
  const past = [{ batchId: 'b', index: 0, prompts }];
  const { records, onceNano } = pilotSample(info, past, { drawn, misses: 0.5, life });
  const warm = { ...ZERO_USAGE, inputTokens: 5200, cachedInputTokens: 5000 };
  const cold = { ...ZERO_USAGE, inputTokens: 5200, ...written };
  expect(records[0]?.prompts).toEqual([
    { usage: warm, times: 1, isFirst: true },
    { usage: cold, times: 0.5, isFirst: false },
    { usage: warm, times: 0.5, isFirst: false },
  ]);
  expect(onceNano).toBe((costNano(info, cold) ?? 0) - (costNano(info, warm) ?? 0));
});
