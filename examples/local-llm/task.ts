import { defineTask } from 'tempered';
import { z } from 'zod';

/** A sentence about a person. */
interface Note {
  readonly id: string;
  readonly text: string;
}

/** The words without case and punctuation, a blank at each end. */
function plain(text: string): string {
  return ` ${text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()} `;
}

/** Whether the words stand in the text one after the other. */
function standsIn(text: string, words: string): boolean {
  return plain(words).trim() !== '' && plain(text).includes(plain(words));
}

const JOBS = (
  'baker carpenter chef courier dancer dentist driver engineer farmer fisherman goalkeeper judge librarian mayor ' +
  'nurse photographer pilot plumber postman professor singer teacher watchmaker'
).split(' ');

export default defineTask({
  name: 'people',
  model: 'compatible/smollm2-135m-instruct',
  instructions:
    'You read a note and return the name, age, job and city of the person it is about, as JSON. ' +
    'Copy them from the note.',
  prompt: 'Note: {{text}}',
  schema: z.object({
    name: z.string().max(60).describe('first and last name'),
    age: z.int().min(0).max(120).describe('age in years'),
    job: z.enum(JOBS),
    city: z.string().max(40).describe('city'),
  }),
  maxOutputTokens: 120,
  maxPrompts: 6,
  stages: [
    { kind: 'full', temperature: 0 },
    { kind: 'partial', temperature: 0 },
    { kind: 'partial', temperature: 0.5 },
    { kind: 'full', temperature: 0.7 },
    { kind: 'partial', temperature: 0.9 },
  ],

  // Strict: every fact must be copied from the note, and the name is two words without a title. The message says what
  // the code can know to be possible: a model this small needs the hint, and larger ones save a prompt by it.
  validate: ({ name, age, job, city }, { text }: Note) => {
    const names = text.match(/\p{Lu}[\p{L}-]+/gu) ?? [];
    const offer = (field: string, candidates: readonly string[]): { path: string[]; message: string } => ({
      path: [field],
      message: `Copy the ${field} from the note; it is in: ${candidates.join(', ')}.`,
    });
    return [
      standsIn(text, name) && name.trim().split(/\s+/).length === 2 ? [] : offer('name', names),
      standsIn(text, String(age)) ? [] : offer('age', text.match(/\d+/g) ?? []),
      standsIn(text, job)
        ? []
        : offer(
            'job',
            JOBS.filter((known) => standsIn(text, known)),
          ),
      standsIn(text, city) && !standsIn(name, city) ? [] : offer('city', names),
    ].flat();
  },
});
