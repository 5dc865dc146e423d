import { parseWhere } from '../../src/client/where.js';
import type { Outcome } from '../../src/task/outcome.js';
import { ZERO_USAGE } from '../../src/task/usage.js';

const line: Outcome = {
  index: 7,
  id: 'a-7',
  status: 'failed',
  output: null,
  error: { category: 'timeout', message: 'It took too long.', retryable: true },
  prompts: [],
  usage: { ...ZERO_USAGE, outputTokens: 900 },
  costUsd: 0.02,
  workflowId: null,
  runId: null,
  input: { language: 'de', size: 3 },
};

test.each([
  'status == "failed" && error.category == "timeout"',
  'error.category in ["timeout", "network"]',
  'index >= 5 && index < 10',
  'costUsd > 0.01 || usage.outputTokens > 1000',
  'id.startsWith("a-")',
  'size(prompts) == 0',
  'input.language == "de" && input.size == 3',
  '!has(error.code)',
])('%s selects it', (expression) => expect(parseWhere(expression).selects(line)).toBe(true));

test.each([
  'status == "partial"',
  'error.code == "too_long"',
  'output.category == "bug"',
  'input.nothing.at.all == 1',
  'prompts.exists(p, p.result == "valid")',
])('%s does not, also where the line has no such field', (expression) =>
  expect(parseWhere(expression).selects(line)).toBe(false),
);

test('a line without error has an empty one', () => {
  const { index, id, output, prompts, usage, costUsd, workflowId, runId } = line;
  const good: Outcome = { index, id, status: 'succeeded', output, prompts, usage, costUsd, workflowId, runId };
  expect(parseWhere('error.category == "timeout"').selects(good)).toBe(false);
  expect(parseWhere('input == null').selects(good)).toBe(true);
});

test.each([
  ['status ==', 'EOF'],
  ['statu == "failed"', 'Unknown variable: statu'],
  ['status == 3', 'no such overload'],
  ['id', 'it gives string, not true or false'],
  ['process.exit(1)', 'Unknown variable: process'],
])('%s is refused with its reason', (expression, reason) => {
  expect(() => parseWhere(expression)).toThrow(reason);
});

test('a condition that gives no truth for a record says for which', () => {
  expect(() => parseWhere('output').selects({ ...line, output: 'yes' })).not.toThrow();
  expect(() => parseWhere('input.size').selects(line)).not.toThrow();
  expect(() => parseWhere('input.size > "x"').selects(line)).toThrow('record 7');
});

test('it knows when it needs the records', () => {
  expect(parseWhere('input.size == 1').usesInput).toBe(true);
  expect(parseWhere('status == "failed"').usesInput).toBe(false);
});
