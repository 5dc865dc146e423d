import { defineTask } from 'tempered';
import { z } from 'zod';

/** A sentence about a person. */
interface Note {
  readonly id: string;
  readonly text: string;
}

/** Whether the words stand in the text one after the other, in any case. */
function standsIn(text: string, words: string): boolean {
  const plain = (value: string): string =>
    ` ${value
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, ' ')
      .trim()} `;
  return plain(words).trim() !== '' && plain(text).includes(plain(words));
}

export default defineTask({
  name: 'people',
  model: 'compatible/smollm2-135m-instruct',
  instructions:
    'You read a note and return facts about the person it is about, as JSON. Copy words from the note. ' +
    'Example: "Paula Stone, a 28 year old farmer from Oslo, won." gives ' +
    '{"name":"Paula Stone","age":28,"job":"farmer","city":"Oslo"}',
  prompt: 'Note: {{text}}',
  schema: z.object({
    name: z.string().max(60).describe('first and last name'),
    age: z.int().min(0).max(120).describe('age in years'),
    job: z.string().max(40).describe('job, one or two words'),
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
    const issues: { path: string[]; message: string }[] = [];
    const expect = (path: keyof typeof person, holds: boolean, message: string): void => {
      if (!holds) issues.push({ path: [path], message });
    };
    const words = person.name.trim().split(/\s+/).length;
    expect('name', standsIn(note.text, person.name), 'must be copied from the note');
    expect('name', words >= 2 && words <= 3, 'must be first and last name only');
    expect('age', standsIn(note.text, String(person.age)), 'must be a number that stands in the note');
    expect('job', standsIn(note.text, person.job), 'must be a word copied from the note');
    expect('job', !standsIn(person.job, person.name) && !standsIn(person.name, person.job), 'must not be the name');
    expect('job', !standsIn(person.job, person.city), 'must not be the city');
    expect('city', standsIn(note.text, person.city), 'must be copied from the note');
    expect('city', !standsIn(person.name, person.city), 'must not be the name');
    return issues;
  },
});
