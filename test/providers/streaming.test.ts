import { createServer, type ServerResponse } from 'node:http';
import { createProviderSet } from '../../src/providers/providerSet.js';
import type { ModelRequest, Provider } from '../../src/providers/types.js';
import { simulatorEnv } from '../../src/simulator/index.js';
import { ANSWER, RECORD, SCHEMA, simulate, stopAll } from '../simulator/wire.js';
import { answered, containing, failed, FOREVER, KEY, request, Wire, type WireReply } from './wire.js';
import { providerFor } from './wire.js';

const MODELS = [
  ['anthropic', 'claude-sonnet-4-6'],
  ['gemini', 'gemini-2.5-flash'],
  ['openai', 'gpt-4.1'],
  ['lmstudio', 'qwen3-8b'],
] as const;

const ASK: Partial<ModelRequest> = { messages: [{ role: 'user', content: RECORD }], maxOutputTokens: 400 };

let providers: (name: string) => Provider;
beforeAll(async () => {
  const { url } = await simulate();
  const set = createProviderSet({ env: simulatorEnv(url) });
  providers = (name) => set.get(name);
});
afterAll(stopAll);

describe.each(MODELS)('%s streams', (name, model) => {
  it('the same answer as without, told piece by piece', async () => {
    const pieces: string[] = [];
    const asked = request(model, { ...ASK, schema: SCHEMA });
    const streamed = answered(await providers(name).send(asked, FOREVER, (text) => pieces.push(text)));
    const whole = answered(await providers(name).send(asked, FOREVER));
    expect(pieces.length).toBeGreaterThan(3);
    expect(pieces.join('')).toBe(streamed.text);
    expect(JSON.parse(streamed.text)).toEqual(ANSWER);
    expect(streamed).toMatchObject({ model, text: whole.text, finishReason: whole.finishReason });
    expect(streamed.usage?.inputTokens).toBe(whole.usage?.inputTokens);
    expect(streamed.usage?.outputTokens).toBeGreaterThan(10);
  });

  it('a truncated answer, which is an error as without', async () => {
    const pieces: string[] = [];
    const reply = await providers(name).send(request(model, { ...ASK, maxOutputTokens: 10 }), FOREVER, (text) =>
      pieces.push(text),
    );
    expect(failed(reply)).toMatchObject({ error: { category: 'truncated' }, text: pieces.join('') });
  });
});

test.each(MODELS.slice(0, 3))('%s streams nothing of a request that is refused', async (name, model) => {
  const pieces: string[] = [];
  const { url } = await simulate({ keys: ['other'] });
  const provider = createProviderSet({ env: simulatorEnv(url) }).get(name);
  const reply = await provider.send(request(model, ASK), FOREVER, (text) => pieces.push(text));
  expect(failed(reply).error.category).toBe('authentication');
  expect(pieces).toEqual([]);
});

const wire = new Wire();
beforeAll(() => wire.start());
afterEach(() => wire.reset());
afterAll(() => wire.stop());

function sse(...events: readonly object[]): WireReply {
  const body = events.map((event) => `data: ${JSON.stringify(event)}\r\n\r\n`).join('');
  return { headers: { 'content-type': 'text/event-stream' }, body };
}

const CHUNK = { id: '1', model: 'gpt-4.1', choices: [{ delta: { content: 'Hel' } }] };

test('a stream that ends in the middle is a network error that may have been billed', async () => {
  wire.reply(sse(CHUNK));
  const reply = await providerFor(wire, 'openai').send(request('gpt-4.1'), FOREVER, () => undefined);
  expect(failed(reply).error).toMatchObject({ category: 'network', billed: 'unknown', retryable: true });
  expect(wire.sent.body).toMatchObject({ stream: true, stream_options: { include_usage: true } });
});

test('an error inside a stream is classified like one with a status', async () => {
  wire.reply(
    sse(
      { type: 'message_start', message: {} },
      { type: 'error', error: { type: 'overloaded_error', message: 'Busy' } },
    ),
  );
  const reply = await providerFor(wire, 'anthropic').send(request('claude-sonnet-4-6'), FOREVER, () => undefined);
  expect(failed(reply).error).toMatchObject({ category: 'overloaded', message: containing('Busy') });
});

test('a server that does not stream answers in one piece', async () => {
  const pieces: string[] = [];
  const choices = [{ message: { content: 'Hello' }, finish_reason: 'stop' }];
  wire.reply({ body: { model: 'm', choices } });
  const reply = await providerFor(wire, 'compatible').send(request('m'), FOREVER, (text) => pieces.push(text));
  expect(answered(reply).text).toBe('Hello');
  expect(pieces).toEqual(['Hello']);
});

test('text is told while the server still writes, and a caller can leave', async () => {
  const open: ServerResponse[] = [];
  const server = createServer((_, response) => {
    open.push(response);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`data: ${JSON.stringify(CHUNK)}\n\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening');
  const env = { COMPATIBLE_BASE_URL: `http://127.0.0.1:${address.port}/v1`, COMPATIBLE_API_KEY: KEY };
  const leave = new AbortController();
  const told: string[] = [];
  const reply = await createProviderSet({ env })
    .get('compatible')
    .send(request('m'), leave.signal, (text) => {
      told.push(text);
      leave.abort();
    });
  expect(told).toEqual(['Hel']);
  expect(failed(reply).error).toMatchObject({ category: 'cancelled', billed: 'unknown' });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
