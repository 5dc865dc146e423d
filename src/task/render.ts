import { z } from 'zod';
import type { AnyTask } from './defineTask.js';
import { type Place, TemperedError, thrownText } from './errors.js';
import type { Json } from './json.js';
import { messageSchema, partSchema } from './messageSchema.js';
import { perObject } from './perObject.js';
import type { ContentPart, Message, RenderedPrompt, TaskSpec } from './spec.js';
import { fillTemplate, parseTemplate, type Piece, type TemplateValues } from './template.js';

/** What a prompt is made of beside the record. */
export interface RenderContext {
  /** What `prepare()` made; null before it ran and for tasks without it. */
  readonly prepared: Json;
  /** Where the record stands, for errors. */
  readonly place?: Place;
}

/** What of a task makes prompts. */
export type PromptSource = Pick<AnyTask, 'spec' | 'load'>;

/**
 * A record's prompt, ready to be sent. Pure. Throws `input` for a missing field, a prompt function that fails, and an
 * image by file path: files are read where records are loaded, see {@link renderParts}.
 */
export function renderRecord(source: PromptSource, input: Json, context: RenderContext): RenderedPrompt {
  const rendered = renderParts(source, input, context);
  for (const { url } of rendered.messages.flatMap(({ content }) => references(content))) {
    if (isLocal(url)) {
      throw new TemperedError('input', `"${url.slice(0, 200)}" is a file, and this prompt is made in a worker.`, {
        remedy: 'Tasks with prepare() take images and PDFs by http(s): or data: URL.',
      });
    }
  }
  return rendered;
}

/** A record's prompt, with images and PDFs still by the reference that stands in it. */
export function renderParts({ spec, load }: PromptSource, input: Json, context: RenderContext): RenderedPrompt {
  if (load.prompt !== undefined) return { messages: calledPrompt(load, input, context) };
  const prepared = spec.functions.includes('prepare') ? context.prepared : undefined;
  const { place } = context;
  const values: TemplateValues = place === undefined ? { input, prepared } : { input, prepared, place };
  return { messages: turnsOf(spec).map(({ role, content }) => ({ role, content: filled(content, values) })) };
}

/** Images and PDFs of a turn. */
export function references(content: Message['content']): readonly Exclude<ContentPart, { type: 'text' }>[] {
  return typeof content === 'string' ? [] : content.filter((part) => part.type !== 'text');
}

/** True for a path or `file:` URL, false for every other URL. */
export function isLocal(url: string): boolean {
  // One letter and a colon is a Windows drive.
  return url.startsWith('file:') || !/^[a-z][a-z0-9+.-]+:/i.test(url);
}

/** The turns of a task, their templates split once for all records. */
const turnsOf = perObject((spec: TaskSpec) => {
  const turns: readonly Message[] = spec.messages ?? [{ role: 'user', content: spec.prompt ?? '' }];
  return turns.map(({ role, content }) => ({ role, content: split(content) }));
});

/** A part of a turn as the task has it, and its template. */
interface PartTemplate {
  readonly part: ContentPart;
  readonly pieces: readonly Piece[];
}

/** What a turn's content is made of: one text, or parts. */
type ContentTemplate = { readonly pieces: readonly Piece[] } | { readonly parts: readonly PartTemplate[] };

function split(content: Message['content']): ContentTemplate {
  if (typeof content === 'string') return { pieces: parseTemplate(content) };
  return {
    parts: content.map((part) => ({ part, pieces: parseTemplate(part.type === 'text' ? part.text : part.url) })),
  };
}

function filled(content: ContentTemplate, values: TemplateValues): Message['content'] {
  if ('pieces' in content) return fillTemplate(content.pieces, values);
  return content.parts.map(({ part, pieces }) =>
    part.type === 'text'
      ? { ...part, text: fillTemplate(pieces, values) }
      : { type: part.type, url: fillTemplate(pieces, values) },
  );
}

const PROMPT_RESULT = z.union([z.string(), z.array(messageSchema).min(1), z.array(partSchema).min(1)]);

function calledPrompt(load: PromptSource['load'], input: Json, { prepared, place }: RenderContext): readonly Message[] {
  const where = place === undefined ? {} : { place };
  let said: unknown;
  try {
    said = load.prompt?.(input, { prepared });
  } catch (cause) {
    const text = thrownText(cause);
    const remedy = 'Make prompt() take every record of the data, or skip such records in before().';
    throw new TemperedError('input', `The task's prompt() threw on this record: ${text}`, { cause, remedy, ...where });
  }
  const result = PROMPT_RESULT.safeParse(said);
  if (!result.success) {
    throw new TemperedError('input', "The task's prompt() returned something that is no prompt.", {
      remedy: 'It returns a text, a list of turns ({role, content}), or the parts of one user turn.',
      ...where,
    });
  }
  const { data } = result;
  if (typeof data === 'string') return [{ role: 'user', content: data }];
  return isTurns(data) ? data : [{ role: 'user', content: data }];
}

function isTurns(list: readonly Message[] | readonly ContentPart[]): list is readonly Message[] {
  return list.every((element) => 'role' in element);
}
