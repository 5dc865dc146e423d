import type { Simulator } from '../../src/simulator/index.js';
import { startSimulator } from '../../src/simulator/index.js';
import type { ScenarioInput } from '../../src/simulator/index.js';
import type { Json, JsonObject } from '../../src/task/json.js';
import { isJsonObject } from '../../src/task/json.js';

/** A response with its body read. */
export interface Got {
  readonly status: number;
  readonly headers: Headers;
  readonly body: JsonObject;
}

async function got(response: Response): Promise<Got> {
  const body: unknown = await response.json();
  return { status: response.status, headers: response.headers, body: isJsonObject(body) ? body : {} };
}

/** Sends JSON with plain fetch. */
export async function send(
  method: string,
  url: string,
  body?: JsonObject,
  headers: Readonly<Record<string, string>> = {},
): Promise<Got> {
  const content = body === undefined ? {} : { body: JSON.stringify(body) };
  return got(await fetch(url, { method, headers: { 'content-type': 'application/json', ...headers }, ...content }));
}

/** The member at a path of keys; fails the test when there is none. */
export function at(value: Json | undefined, ...path: readonly (string | number)[]): Json {
  let found: Json | undefined = value;
  for (const key of path) {
    found = Array.isArray(found) ? found[Number(key)] : isJsonObject(found) ? found[key] : undefined;
  }
  if (found === undefined) throw new Error(`nothing at ${path.join('.')} of ${JSON.stringify(value)}`);
  return found;
}

/** Text at a path. */
export function textAt(value: Json | undefined, ...path: readonly (string | number)[]): string {
  const found = at(value, ...path);
  if (typeof found !== 'string') throw new Error(`${path.join('.')} is no text`);
  return found;
}

/** Matches any number. */
export const A_NUMBER: unknown = expect.any(Number);

/** Matches any text. */
export const A_TEXT: unknown = expect.any(String);

/** Matches a text by a pattern. */
export function matching(pattern: RegExp): unknown {
  return expect.stringMatching(pattern);
}

const running: Simulator[] = [];

/** Starts a simulator that ends with the test file. */
export async function simulate(scenario: ScenarioInput = {}): Promise<Simulator> {
  const simulator = await startSimulator({ scenario });
  running.push(simulator);
  return simulator;
}

/** Ends every simulator of the test. */
export async function stopAll(): Promise<void> {
  await Promise.all(running.splice(0).map((simulator) => simulator.close()));
}

/** A record with something in it for every field of {@link SCHEMA}. */
export const RECORD = [
  'From: "Jörg Maier" <J.Maier@example.de>',
  'Subject: Wrong invoice for LK-20433',
  'Date: Thu, 22 Aug 2002 18:26:25 +0700',
  '',
  'You charged my card twice, 149.00 EUR on the invoice LK-20433. See https://shop.example/orders/20433 please.',
].join('\n');

/** Strict enough for every provider's own rules. */
export const SCHEMA: JsonObject = {
  type: 'object',
  properties: {
    sender: { type: 'string' },
    email: { type: 'string', format: 'email' },
    date: { type: 'string', format: 'date' },
    category: { type: 'string', enum: ['delivery', 'billing', 'other'] },
    amount: { type: 'number' },
    spam: { type: 'boolean' },
  },
  required: ['sender', 'email', 'date', 'category', 'amount', 'spam'],
  additionalProperties: false,
};

/** What {@link RECORD} says. */
export const ANSWER = {
  sender: 'Jörg Maier',
  email: 'J.Maier@example.de',
  date: '2002-08-22',
  category: 'billing',
  amount: 149,
  spam: false,
};

const ANTHROPIC_HEADERS = { 'x-api-key': 'sim-key', 'anthropic-version': '2026-10-21' };

/** `POST /v1/messages` with {@link RECORD} and {@link SCHEMA}; `changes` replace parts of the body. */
export function askAnthropic(
  url: string,
  changes: JsonObject = {},
  headers: Readonly<Record<string, string>> = ANTHROPIC_HEADERS,
): Promise<Got> {
  const body: JsonObject = {
    model: 'claude-sonnet-4-6',
    max_tokens: 400,
    messages: [{ role: 'user', content: RECORD }],
    output_config: { format: { type: 'json_schema', schema: SCHEMA } },
    ...changes,
  };
  return send('POST', `${url}/anthropic/v1/messages`, body, headers);
}

/** `generateContent` with the same. */
export function askGemini(
  url: string,
  changes: JsonObject = {},
  model = 'gemini-2.5-flash',
  key = 'sim-key',
): Promise<Got> {
  const body: JsonObject = {
    contents: [{ role: 'user', parts: [{ text: RECORD }] }],
    generationConfig: { responseMimeType: 'application/json', responseJsonSchema: SCHEMA, maxOutputTokens: 400 },
    ...changes,
  };
  return send('POST', `${url}/gemini/v1beta/models/${model}:generateContent`, body, { 'x-goog-api-key': key });
}

/** `POST /chat/completions` with the same. */
export function askOpenai(url: string, changes: JsonObject = {}, prefix = 'openai', key = 'sim-key'): Promise<Got> {
  const body: JsonObject = {
    model: 'gpt-4.1',
    messages: [{ role: 'user', content: RECORD }],
    response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema: SCHEMA } },
    ...changes,
  };
  return send('POST', `${url}/${prefix}/v1/chat/completions`, body, { authorization: `Bearer ${key}` });
}
