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
    job: z.string().max(40).describe('profession'),
    city: z.string().max(40).describe('city'),
  }),
  maxOutputTokens: 120,
  maxPrompts: 6,
  stages: [
    { kind: 'full', temperature: 0 },
    { kind: 'partial', temperature: 0 },
    { kind: 'full', temperature: 0.4 },
    { kind: 'partial', temperature: 0.4 },
    { kind: 'partial', temperature: 0.8 },
  ],

  // Strict: every fact must be copied from the note, and no field may repeat another.
  validate: (person, note: Note) => {
    const { name, age, job, city } = person;
    const issues: { path: string[]; message: string }[] = [];
    const expect = (path: keyof typeof person, holds: boolean, message: string): void => {
      if (!holds) issues.push({ path: [path], message });
    };
    expect('name', standsIn(note.text, name), 'is not in the note');
    expect('name', name.trim().split(/\s+/).length === 2, 'must be first and last name without title');
    expect('age', standsIn(note.text, String(age)), 'must be a number that stands in the note');
    expect('job', standsIn(note.text, job), 'must be the profession in the note');
    expect('job', !standsIn(`${name} ${city}`, job), 'must be the profession');
    expect('city', standsIn(note.text, city), 'must be a city that stands in the note');
    expect('city', !standsIn(`${name} ${job}`, city), 'must be a city');
    return issues;
  },
});
