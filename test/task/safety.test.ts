import { defineTask } from '../../src/task/defineTask.js';
import type { Outcome, SafetyRating } from '../../src/task/outcome.js';
import { reviewSafety, safetyReason } from '../../src/task/safety.js';
import { ZERO_USAGE } from '../../src/task/usage.js';

const rated = (probability: string): readonly SafetyRating[] => [
  { category: 'HARM_CATEGORY_HARASSMENT', probability: 'NEGLIGIBLE' },
  { category: 'HARM_CATEGORY_DANGEROUS_CONTENT', probability },
];
const outcome = (safetyRatings: readonly SafetyRating[] | null): Outcome => ({
  index: 0,
  id: '0',
  status: 'succeeded',
  output: 'yes',
  prompts: [],
  usage: ZERO_USAGE,
  costUsd: 0,
  workflowId: null,
  runId: null,
  metadata: { safetyRatings, finishReason: 'STOP', tokenUsage: null, rawRef: 'b/0/1' },
});
const base = { name: 'safe', model: 'gemini/gemini-2.5-flash', prompt: '{{text}}' } as const;

test.each([
  ['LOW', 'MEDIUM', null],
  ['MEDIUM', 'MEDIUM', 'the model rated its answer HARM_CATEGORY_DANGEROUS_CONTENT MEDIUM'],
  ['HIGH', 'MEDIUM', 'the model rated its answer HARM_CATEGORY_DANGEROUS_CONTENT HIGH'],
  ['MEDIUM', 'HIGH', null],
] as const)('rated %s, held from %s on: %s', (probability, level, reason) => {
  expect(safetyReason(rated(probability), level)).toBe(reason);
  const said = reviewSafety({ level })(outcome(rated(probability)));
  expect(said).toEqual(reason === null ? undefined : { review: reason });
});

test('without ratings nothing is held; an outcome without metadata is an error, not a pass', () => {
  const review = reviewSafety({ level: 'MEDIUM' });
  expect(review(outcome(null))).toBeUndefined();
  const { index, id, status, output, prompts, usage, costUsd, workflowId, runId } = outcome(null);
  const bare: Outcome = { index, id, status, output, prompts, usage, costUsd, workflowId, runId };
  expect(() => review(bare)).toThrow('no safety ratings');
  expect(review({ ...bare, status: 'failed' })).toBeUndefined();
});

test('a task with it keeps the ratings, and is another task with another level', () => {
  const medium = defineTask({ ...base, postProcess: reviewSafety({ level: 'MEDIUM' }) });
  expect(medium.spec.includeMetadata).toBe(true);
  expect(medium.hash).toBe(defineTask({ ...base, postProcess: reviewSafety({ level: 'MEDIUM' }) }).hash);
  expect(medium.hash).not.toBe(defineTask({ ...base, postProcess: reviewSafety({ level: 'HIGH' }) }).hash);
});
