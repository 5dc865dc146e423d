import { thrownText } from '../../src/task/errors.js';
import type { JsonObject } from '../../src/task/json.js';
import { parseTaskFile } from '../../src/task/taskFile.js';

const parse = (params: JsonObject) =>
  parseTaskFile({ name: 'tickets', model: 'openai/gpt-4.1', prompt: '{{text}}', params }, { file: 'task.json' });

const TOOL = { name: 'look', input_schema: { type: 'object' } };

test.each<[string, JsonObject, RegExp]>([
  ['an output limit of Anthropic', { max_tokens: 5 }, /params\.max_tokens: say maxOutputTokens/],
  ['one of OpenAI', { max_completion_tokens: 5 }, /params\.max_completion_tokens: say maxOutputTokens/],
  ['one of Gemini', { maxOutputTokens: 5 }, /params\.maxOutputTokens: say maxOutputTokens/],
  ['several answers of OpenAI', { n: 2 }, /params\.n: each prompt asks for one answer/],
  ['several answers of Gemini', { candidateCount: 2 }, /params\.candidateCount: each prompt/],
  ['a dearer tier', { service_tier: 'priority' }, /"priority" is not taken: its price is not in the price table/],
  ['a dearer tier of Gemini', { serviceTier: 'PRIORITY' }, /params\.serviceTier/],
  ['a tier that is none', { service_tier: null }, /params\.service_tier/],
  ['a dearer speed', { speed: 'fast' }, /params\.speed/],
  ['a dearer region', { inference_geo: 'us' }, /params\.inference_geo/],
  ['spoken answers', { modalities: ['text', 'audio'] }, /params\.modalities/],
  ['searches', { web_search_options: {} }, /what it adds to the bill is not known/],
  ['a cache whose tokens nobody counted', { cachedContent: 'cachedContents/a' }, /params\.cachedContent/],
  ['tools Anthropic runs', { tools: [TOOL, { type: 'web_search_20250305', name: 'web_search' }] }, /only functions/],
  ['tools Google runs', { tools: [{ googleSearch: {} }] }, /only functions/],
  ['tools Google runs beside functions', { tools: [{ functionDeclarations: [], urlContext: {} }] }, /only functions/],
])('refuses %s, which a budget could not see', (_, params, message) => {
  let error: unknown;
  try {
    parse(params);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ category: 'input' });
  expect(thrownText(error)).toMatch(message);
});

test.each<[string, JsonObject]>([
  ['sampling', { top_p: 0.9, reasoning_effort: 'low', seed: 1, constructor: 'x' }],
  ['tiers that are not dearer', { service_tier: 'flex' }],
  ['texts', { responseModalities: ['TEXT'] }],
  ['functions of Anthropic', { tools: [TOOL, { ...TOOL, type: 'custom' }] }],
  ['functions of OpenAI', { tools: [{ type: 'function', function: { name: 'look' } }] }],
  ['functions of Gemini', { tools: [{ functionDeclarations: [{ name: 'look' }] }] }],
])('takes %s as they are', (_, params) => {
  expect(parse(params).spec.params).toEqual(params);
});
