import type { AnyTask } from './defineTask.js';
import { type Place, TemperedError, thrownText } from './errors.js';
import { needsFiles, withFiles } from './files.js';
import type { BeforeResult } from './functions.js';
import { asJson, isJsonObject, type Json } from './json.js';
import { renderParts } from './render.js';
import type { LoadedRecord, RecordPreset, RenderedPrompt } from './spec.js';

/** Where a record stands, and what its prompt may use. */
export interface RecordContext {
  /** 0-based position in the input. */
  readonly index: number;
  /** File it came from. */
  readonly file?: string;
  /** 1-based line or row in that file. */
  readonly line?: number;
  /** Field that holds the record's own id. Default `id`, which a record need not have. */
  readonly idField?: string;
  /** What `prepare()` made, where it is known already: then the prompt is rendered at once. */
  readonly prepared?: Json;
}

/**
 * A record on its way into the store: `before` is asked, the prompt rendered, files read. A record
 * is any JSON value; one that is no object is called `value` in templates. Throws `TemperedError` (`input`) naming the
 * place when a template's field or the id is missing, or a function of the task fails.
 */
export async function toLoadedRecord(task: AnyTask, input: Json, context: RecordContext): Promise<LoadedRecord> {
  return loadedRecord(task, input, context);
}

/**
 * {@link toLoadedRecord} at once where nothing has to be waited for, which is most records of most tasks: waiting for
 * nothing a million times is what loading them would be busy with. Throws what that rejects with.
 */
export function loadedRecord(task: AnyTask, input: Json, context: RecordContext): LoadedRecord | Promise<LoadedRecord> {
  const { index, line, file, idField } = context;
  const place = file === undefined ? undefined : placeOf(file, line);
  const read = { id: idOf(input, index, idField, place), line: line ?? null, input };
  if (task.load.before === undefined) return withPrompt(task, read, context.prepared, place);
  return decided(task, read, context.prepared, place);
}

function placeOf(file: string, line: number | undefined): Place {
  return line === undefined ? { file } : { file, line };
}

/** What of a record is known before its prompt. */
type ReadRecord = Pick<LoadedRecord, 'id' | 'line' | 'input'>;

async function decided(
  task: AnyTask,
  read: ReadRecord,
  prepared: Json | undefined,
  place: Place | undefined,
): Promise<LoadedRecord> {
  const decision = await before(task, read.input, place);
  const { input = read.input, preset } = decision;
  if (preset === undefined) return withPrompt(task, { ...read, input }, prepared, place);
  return { ...read, input, rendered: null, preset };
}

function withPrompt(
  task: AnyTask,
  read: ReadRecord,
  prepared: Json | undefined,
  place: Place | undefined,
): LoadedRecord | Promise<LoadedRecord> {
  if (task.spec.functions.includes('prepare') && prepared === undefined) return whole(read, null);
  const context = place === undefined ? { prepared: prepared ?? null } : { prepared: prepared ?? null, place };
  const rendered = renderParts(task, read.input, context);
  if (!needsFiles(rendered)) return whole(read, rendered);
  return withFiles(rendered, place).then((filled) => whole(read, filled));
}

/** Written out, as all here that each record passes: spreading objects is slow. */
function whole({ id, line, input }: ReadRecord, rendered: RenderedPrompt | null): LoadedRecord {
  return { id, line, input, rendered };
}

function idOf(input: Json, index: number, idField: string | undefined, place: Place | undefined): string {
  const id = isJsonObject(input) ? input[idField ?? 'id'] : undefined;
  if ((typeof id === 'string' && id !== '') || typeof id === 'number') return String(id);
  const absent = id === undefined || id === null || id === '';
  if (absent && idField === undefined) return String(index);
  const said = absent ? `has no id in field "${idField ?? 'id'}"` : 'has an id that is neither text nor number';
  throw new TemperedError('input', `Record ${index} ${said}.`, {
    remedy: 'Give every record a text or number as id, or name another field with --id-field.',
    ...where(place),
  });
}

interface Decision {
  readonly input?: Json;
  readonly preset?: RecordPreset;
}

async function before(task: AnyTask, input: Json, place: Place | undefined): Promise<Decision> {
  if (task.load.before === undefined) return {};
  let said: BeforeResult<unknown, unknown>;
  try {
    said = await task.load.before(input);
  } catch (cause) {
    const text = thrownText(cause);
    throw new TemperedError('input', `The task's before() threw on this record: ${text}`, {
      cause,
      remedy: 'Make before() take every record of the data.',
      ...where(place),
    });
  }
  if (said === undefined) return {};
  if ('skip' in said) return { preset: { kind: 'skip', reason: said.skip } };
  if ('answer' in said) return { preset: { kind: 'answer', output: checkedAnswer(task, said.answer, place) } };
  if ('input' in said) return { input: jsonOf(said.input, 'an input', place) };
  return broken('something that is neither input, answer nor skip', place);
}

/** An answer of `before` must be what the model could have answered. */
function checkedAnswer(task: AnyTask, answer: unknown, place: Place | undefined): Json {
  if (task.schema === undefined) {
    return typeof answer === 'string' ? answer : broken('an answer that is no text, as the task has no schema', place);
  }
  const checked = task.schema.safeParse(answer);
  if (checked.success) return jsonOf(checked.data, 'an answer', place);
  const issues = checked.error.issues.map(({ path, message }) => `${path.map(String).join('.')}: ${message}`);
  return broken(`an answer that does not fit the schema (${issues.join('; ')})`, place);
}

function jsonOf(value: unknown, what: string, place: Place | undefined): Json {
  const json = asJson(value);
  if (json.ok) return json.value;
  return broken(`${what} that is not JSON: ${json.what}${json.at === '' ? '' : ` at ${json.at}`}`, place);
}

function broken(what: string, place: Place | undefined): never {
  throw new TemperedError('input', `The task's before() returned ${what}.`, {
    remedy: 'before() returns nothing, {input}, {answer} or {skip: reason}; all of it JSON.',
    ...where(place),
  });
}

function where(place: Place | undefined): { place?: Place } {
  return place === undefined ? {} : { place };
}
