import { stageTable, storyLine, type StoryRow } from '../../src/recovery/story.js';

const usage = {
  inputTokens: 420,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  cacheWrite1hTokens: 0,
  outputTokens: 60,
  thinkingTokens: 0,
};

const issues = ['age', 'mail', 'name', 'town'].map((key) => ({
  path: [key],
  message: 'is | missing',
  code: 'required',
}));

const rows: readonly StoryRow[] = [
  {
    stage: 1,
    kind: 'full',
    variation: { temperature: 0 },
    model: 'compatible/m',
    verdict: 'invalid',
    event: { kind: 'invalid', issues, kept: null, keptRef: null },
    usage,
    costNano: 126_000,
  },
  {
    stage: 2,
    kind: 'partial',
    variation: { effort: 'high', reworded: true, model: 'compatible/other' },
    model: 'compatible/other',
    verdict: 'network',
    event: {
      kind: 'error',
      error: { category: 'network', message: `reset\n by peer ${'x'.repeat(300)}`, retryable: true },
    },
    usage: null,
    costNano: null,
  },
  {
    stage: 2,
    kind: 'partial',
    variation: {},
    model: 'compatible/m',
    verdict: 'valid',
    event: { kind: 'valid' },
    usage,
    costNano: 0,
  },
];

it('tells each prompt in one line', () => {
  const [invalid, error, valid] = rows.map(storyLine);
  expect(invalid).toBe(
    'stage 1 full @0 -> invalid (age: is | missing; mail: is | missing; name: is | missing; 1 more) · 420 in, 60 out · $0.000126',
  );
  expect(error).toMatch(/^stage 2 partial effort high, reworded, compatible\/other -> network \(reset/);
  expect(error).toMatch(/…\) · tokens unknown · unpriced$/);
  expect(valid).toBe('stage 2 partial -> valid · 420 in, 60 out · $0.000000');
});

it('is a Markdown table with one row for each prompt, whatever stands in it', () => {
  const lines = stageTable(rows).split('\n');
  expect(lines).toHaveLength(2 + rows.length);
  const columns = lines.map((line) => line.replaceAll('\\|', '').split('|').length);
  expect(new Set(columns).size).toBe(1);
  expect(lines[2]).toContain('is \\| missing');
  expect(stageTable([]).split('\n')).toHaveLength(2);
});
