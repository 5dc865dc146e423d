import { z } from 'zod';
import { isJsonObject, type JsonObject, parseJson } from '../../task/json.js';
import { NO_TOOLS, type OfferedTool, type ToolOffer } from '../tools.js';
import type { ChatBody } from './openaiRules.js';
import type { GenerateBody } from './geminiRules.js';
import type { MessagesBody } from './anthropicRules.js';

/** Names every provider takes. */
const NAME = /^[a-zA-Z0-9_-]{1,64}$/;

/** A schema as JSON; one that is missing asks for nothing. */
function schemaOf(value: unknown): JsonObject {
  const json = value === undefined ? {} : parseJson(JSON.stringify(value));
  return isJsonObject(json) ? json : {};
}

const anthropicChoice = z.looseObject({ type: z.string(), name: z.string().optional() });

/** What a Messages request says of tools. Throws, through `refuse`, in the API's words. */
export function anthropicOffer(body: MessagesBody, refuse: (message: string) => Error): ToolOffer {
  const tools = (body.tools ?? []).map(({ name, ...tool }, i): OfferedTool => {
    if (!NAME.test(name)) throw refuse(`tools.${i}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`);
    if (tool['input_schema'] === undefined) throw refuse(`tools.${i}.custom.input_schema: Field required`);
    return { name, parameters: schemaOf(tool['input_schema']) };
  });
  checkResults(body, refuse);
  if (tools.length === 0) return NO_TOOLS;
  const choice = anthropicChoice.safeParse(body['tool_choice']);
  const last = body.messages.at(-1)?.content;
  const answered = typeof last === 'object' && last.some(({ type }) => type === 'tool_result');
  return { tools, choice: choice.success ? anthropicWord(choice.data) : 'auto', answered };
}

function anthropicWord({ type, name }: z.infer<typeof anthropicChoice>): ToolOffer['choice'] {
  if (type === 'tool' && name !== undefined) return { name };
  return type === 'any' ? 'required' : type === 'none' ? 'none' : 'auto';
}

/** Every call has its result in the very next message. */
function checkResults({ messages }: MessagesBody, refuse: (message: string) => Error): void {
  const ids = (at: number, type: string, field: string): readonly string[] => {
    const content = messages[at]?.content;
    return typeof content === 'object'
      ? content.filter((block) => block.type === type).map((block) => JSON.stringify(block[field] ?? null))
      : [];
  };
  messages.forEach((_, i) => {
    const results = ids(i + 1, 'tool_result', 'tool_use_id');
    const missing = ids(i, 'tool_use', 'id').filter((id) => !results.includes(id));
    if (missing.length > 0) {
      throw refuse(
        `messages.${i}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing.join(', ')}. ` +
          'Each `tool_use` block must have a corresponding `tool_result` block in the next message.',
      );
    }
    const unknown = ids(i, 'tool_result', 'tool_use_id').find((id) => !ids(i - 1, 'tool_use', 'id').includes(id));
    if (unknown !== undefined) {
      throw refuse(
        `messages.${i}.content: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${unknown}. Each ` +
          '`tool_result` block must have a corresponding `tool_use` block in the previous message.',
      );
    }
  });
}

const chatTool = z.looseObject({
  type: z.literal('function'),
  function: z.looseObject({ name: z.string().regex(NAME), parameters: z.unknown().optional() }),
});
const chatNamed = z.looseObject({ function: z.looseObject({ name: z.string() }) });
const chatCalls = z.array(z.looseObject({ id: z.string() }));

/** What a chat request says of tools. */
export function chatOffer(body: ChatBody, refuse: (message: string) => Error): ToolOffer {
  const parsed = z.array(chatTool).safeParse(body['tools'] ?? []);
  if (!parsed.success) throw refuse(`Invalid value for 'tools': ${parsed.error.issues[0]?.message ?? 'not valid'}`);
  const called = new Set<string>();
  for (const message of body.messages) {
    for (const { id } of chatCalls.safeParse(message['tool_calls']).data ?? []) called.add(id);
    if (message.role !== 'tool') continue;
    if (called.has(String(message['tool_call_id']))) continue;
    throw refuse(
      "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
    );
  }
  if (parsed.data.length === 0) return NO_TOOLS;
  const tools = parsed.data.map(({ function: { name, parameters } }) => ({ name, parameters: schemaOf(parameters) }));
  return { tools, choice: chatWord(body['tool_choice']), answered: body.messages.at(-1)?.role === 'tool' };
}

function chatWord(choice: unknown): ToolOffer['choice'] {
  const named = chatNamed.safeParse(choice);
  if (named.success) return { name: named.data.function.name };
  return choice === 'required' || choice === 'none' ? choice : 'auto';
}

const declarations = z.array(
  z.looseObject({
    functionDeclarations: z
      .array(
        z.looseObject({
          name: z.string(),
          parametersJsonSchema: z.unknown().optional(),
          parameters: z.unknown().optional(),
        }),
      )
      .default([]),
  }),
);
const callingConfig = z.looseObject({
  functionCallingConfig: z.looseObject({
    mode: z.string().optional(),
    allowedFunctionNames: z.array(z.string()).default([]),
  }),
});

function count(turn: GenerateBody['contents'][number] | undefined, field: string): number {
  return (turn?.parts ?? []).filter((part) => field in part).length;
}

/** What a Gemini request says of tools. A model that thinks wants its signed thoughts back with its calls. */
export function geminiOffer(body: GenerateBody, thinks: boolean, refuse: (message: string) => Error): ToolOffer {
  body.contents.forEach((turn, i) => {
    const calls = count(turn, 'functionCall');
    if (thinks && calls > 0 && count(turn, 'thoughtSignature') === 0) {
      throw refuse('Function call is missing a thought_signature in functionCall parts.');
    }
    if (calls === 0 || calls === count(body.contents[i + 1], 'functionResponse')) return;
    throw refuse(
      'Please ensure that the number of function response parts is equal to the number of function call parts of the ' +
        'function call turn.',
    );
  });
  const parsed = declarations.safeParse(body.tools ?? []);
  const tools = (parsed.data ?? [])
    .flatMap(({ functionDeclarations }) => functionDeclarations)
    .map(({ name, parametersJsonSchema, parameters }) => ({
      name,
      parameters: schemaOf(parametersJsonSchema ?? parameters),
    }));
  if (tools.length === 0) return NO_TOOLS;
  const config = callingConfig.safeParse(body.toolConfig).data?.functionCallingConfig;
  const [only] = config?.allowedFunctionNames ?? [];
  const choice =
    config?.mode === 'ANY'
      ? only === undefined
        ? 'required'
        : { name: only }
      : config?.mode === 'NONE'
        ? 'none'
        : 'auto';
  return { tools, choice, answered: count(body.contents.at(-1), 'functionResponse') > 0 };
}
