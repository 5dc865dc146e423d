import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { comparePrices, differencesText } from '../../scripts/prices.mjs';
import { modelInfo, namesOf } from '../../src/models/catalog.js';
import { parseModelRef } from '../../src/models/modelRef.js';

const AT = new Date('2026-11-27');
const published = z
  .record(z.string(), z.json())
  .parse(JSON.parse(readFileSync(path.join(__dirname, 'fixtures/models-dev.json'), 'utf8')));

const known = [
  'anthropic/claude-haiku-5-5',
  'anthropic/claude-haiku-4-5',
  'gemini/gemini-2.5-pro',
  'gemini/gemini-2.5-flash',
  'openai/gpt-4.1',
].map((model) => {
  const ref = parseModelRef(model);
  return { model, names: namesOf(ref), info: modelInfo(ref, AT) };
});

it('finds every price that differs, by exact names and aliases, and what only one table has', () => {
  const { changed, onlyOurs, onlyTheirs } = comparePrices(known, published);
  expect(Object.fromEntries(changed.map(({ model, differences }) => [model, differences]))).toEqual({
    'anthropic/claude-haiku-4-5': [
      { what: 'output', ours: 5, theirs: 6 },
      expect.objectContaining({ what: 'knowledgeCutoff', theirs: '1999-01' }),
    ],
    'gemini/gemini-2.5-pro': [{ what: 'output, longest prompts', ours: 15, theirs: 16 }],
    'gemini/gemini-2.5-flash': [{ what: 'prompt sizes', ours: 'any', theirs: '200000, any' }],
  });
  expect(onlyOurs).toEqual(['openai/gpt-4.1']);
  expect(onlyTheirs).toEqual(['anthropic/claude-next']);
});

it('says it in words', () => {
  const lines = differencesText(comparePrices(known, published));
  expect(lines).toContain('anthropic/claude-haiku-4-5  output: ours 5, theirs 6');
  expect(lines).toContain('Only theirs: anthropic/claude-next');
});
