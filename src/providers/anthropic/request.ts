import { modelInfo } from '../../models/catalog.js';
import type { JsonObject } from '../../task/json.js';
import { isJsonObject } from '../../task/json.js';
import type { ContentPart, Message } from '../../task/spec.js';
import { readMedia } from '../media.js';
import { anthropicSchema, withSchemaInstruction } from '../schemas.js';
import type { ModelRequest } from '../types.js';

/** The last API version that takes sampling parameters; later ones reject them for every model. */
const SAMPLING_API_VERSION = '2023-06-01';

const SAMPLING_PARAMETERS = ['temperature', 'top_p', 'top_k'];

/** A request as it goes to the SDK. */
export interface AnthropicRequest {
  /** The JSON body. */
  readonly body: JsonObject;
  /** Headers beside the SDK's own. */
  readonly headers: Readonly<Record<string, string>>;
}

function mediaSource(part: Extract<ContentPart, { url: string }>): JsonObject {
  const media = readMedia(part.type, part.url);
  if (media.kind === 'url') return { type: 'url', url: media.url };
  return { type: 'base64', media_type: media.mediaType, data: media.data };
}

function contentBlock(part: ContentPart): JsonObject {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'image':
      return { type: 'image', source: mediaSource(part) };
    case 'pdf':
      return { type: 'document', source: mediaSource(part) };
  }
}

function message({ role, content }: Message): JsonObject {
  return { role, content: typeof content === 'string' ? content : content.map(contentBlock) };
}

/** The system prompt as one block, so that it can carry the cache breakpoint. */
function system(text: string | undefined, cache: boolean): JsonObject {
  if (text === undefined || text === '') return {};
  const breakpoint: JsonObject = cache ? { cache_control: { type: 'ephemeral' } } : {};
  return { system: [{ type: 'text', text, ...breakpoint }] };
}

/** A request for `POST /v1/messages`. Throws `TemperedError` (`input`) for media that is no URL. */
export function anthropicRequest(request: ModelRequest): AnthropicRequest {
  const { schema, params, effort } = request;
  const info = modelInfo({ provider: 'anthropic', model: request.model }, new Date());
  const native = schema === undefined || info.structuredOutput === false ? null : anthropicSchema(schema);
  const asked =
    schema === undefined || native !== null
      ? request.instructions
      : withSchemaInstruction(request.instructions, schema);
  const given = isJsonObject(params['output_config']) ? params['output_config'] : {};
  const output: JsonObject = {
    ...given,
    ...(effort === undefined ? {} : { effort }),
    ...(native === null ? {} : { format: { type: 'json_schema', schema: native } }),
  };
  const body: JsonObject = {
    ...params,
    model: request.model,
    max_tokens: request.maxOutputTokens,
    ...system(asked, request.cachePrefix),
    messages: request.messages.map(message),
    ...(Object.keys(output).length === 0 ? {} : { output_config: output }),
    ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
  };
  const samples = SAMPLING_PARAMETERS.some((name) => name in body);
  return { body, headers: samples ? { 'anthropic-version': SAMPLING_API_VERSION } : {} };
}
