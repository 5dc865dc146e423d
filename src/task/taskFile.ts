import type { AnyTask } from './defineTask.js';
import { makeTask } from './defineTask.js';
import { type Place, TemperedError } from './errors.js';
import { asJson, isJsonObject, type JsonObject } from './json.js';
import { compileSchema } from './jsonSchema.js';
import { parseSettings, problem, SETTING_NAMES } from './settings.js';

/**
 * A task from a JSON or YAML file's content. Throws `TemperedError` (`input`) naming the place and every setting that
 * is unknown or wrong.
 */
export function parseTaskFile(value: unknown, place: Place): AnyTask {
  const json = asJson(value);
  if (!json.ok || !isJsonObject(json.value)) throw problem(['it is not an object with name, model and prompt'], place);
  const { schema, ...settings } = json.value;
  const facts = {
    schema: schema === undefined ? undefined : checkedSchema(schema, place),
    functions: [],
    promptInCode: false,
    rendersInCode: false,
  };
  const spec = parseSettings(settings, facts, [...SETTING_NAMES, 'schema'], place);
  return makeTask({ spec, schema: undefined, functions: {}, load: {} });
}

function checkedSchema(schema: unknown, place: Place): JsonObject {
  if (!isJsonObject(schema)) throw problem(['schema: it is not a JSON Schema object'], place);
  try {
    compileSchema(schema);
  } catch (error) {
    if (!(error instanceof TemperedError)) throw error;
    throw new TemperedError('input', error.message, { ...error.options, place });
  }
  return schema;
}
