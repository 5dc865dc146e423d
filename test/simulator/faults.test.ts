import type { ScenarioInput, Simulator } from '../../src/simulator/index.js';
import type { Json, JsonObject } from '../../src/task/json.js';
import { isJsonObject, parseJson } from '../../src/task/json.js';
import { ANSWER, askAnthropic, askGemini, askOpenai, at, RECORD, SCHEMA, simulate, stopAll, textAt } from './wire.js';
import type { Got } from './wire.js';

afterAll(stopAll);

const record = (n: number): string => `${RECORD}\nNumber ${n}`;

/** One prompt per record, all at once. */
function run(url: string, records: readonly string[], changes: JsonObject = {}): Promise<Got[]> {
  return Promise.all(
    records.map((content) => askAnthropic(url, { messages: [{ role: 'user', content }], ...changes })),
  );
}

function keys(value: Json): readonly string[] {
  return isJsonObject(value) ? Object.keys(value) : [];
}

function outcome({ status, body }: Got): string {
  if (status !== 200) return `status ${status}`;
  const { content, stop_reason: reason } = body;
  return JSON.stringify([reason, content]);
}

describe('trouble on the way', () => {
  const always = (fault: string, more: ScenarioInput = {}): Promise<Simulator> =>
    simulate({ ...more, rates: { [fault]: 1 } });

  it("429 with a hint, in each provider's own words", async () => {
    const simulator = await always('rateLimit', { retryAfterSeconds: 1.5 });
    const { url } = simulator;
    const anthropic = await askAnthropic(url);
    expect(anthropic.status).toBe(429);
    expect(anthropic.headers.get('retry-after')).toBe('2');
    expect(at(anthropic.body, 'error', 'type')).toBe('rate_limit_error');
    const gemini = await askGemini(url);
    expect(gemini.body).toMatchObject({ error: { code: 429, status: 'RESOURCE_EXHAUSTED' } });
    expect(at(gemini.body, 'error', 'details', 1)).toEqual({
      '@type': 'type.googleapis.com/google.rpc.RetryInfo',
      retryDelay: '1.5s',
    });
    const openai = await askOpenai(url);
    expect(openai.status).toBe(429);
    expect(openai.headers.get('retry-after-ms')).toBe('1500');
    expect(openai.body).toMatchObject({ error: { code: 'rate_limit_exceeded', type: 'requests' } });
    expect(simulator.totals()).toMatchObject({ requests: 0, costNanoUsd: 0, unbilled: { rateLimit: 3 } });
  });

  it('429 without a hint', async () => {
    const { url } = await always('rateLimit', { retryAfterSeconds: null });
    expect((await askAnthropic(url)).headers.get('retry-after')).toBeNull();
    expect((await askOpenai(url)).headers.get('retry-after-ms')).toBeNull();
    expect(JSON.stringify((await askGemini(url)).body)).not.toContain('RetryInfo');
  });

  it.each([
    ['overloaded', 529, 503, 503, 'overloaded_error', 'UNAVAILABLE'],
    ['serverError', 500, 500, 500, 'api_error', 'INTERNAL'],
  ])('%s', async (fault, anthropicStatus, geminiStatus, openaiStatus, type, word) => {
    const { url, totals } = await always(fault);
    const anthropic = await askAnthropic(url);
    expect(anthropic.status).toBe(anthropicStatus);
    expect(at(anthropic.body, 'error', 'type')).toBe(type);
    const gemini = await askGemini(url);
    expect(gemini.status).toBe(geminiStatus);
    expect(at(gemini.body, 'error', 'status')).toBe(word);
    const openai = await askOpenai(url);
    expect(openai.status).toBe(openaiStatus);
    expect(at(openai.body, 'error', 'type')).toBe('server_error');
    expect(totals()).toMatchObject({ requests: 0, unbilled: { [fault]: 3 } });
  });

  it('a connection that is reset before anything is billed', async () => {
    const { url, totals } = await always('reset');
    await expect(askAnthropic(url)).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
    expect(totals()).toMatchObject({ requests: 0, unbilled: { reset: 1 } });
  });

  it('silence until the client leaves', async () => {
    const { url, totals, close } = await always('hang');
    const body = JSON.stringify({ contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] });
    const asked = fetch(`${url}/gemini/v1/models/gemini-2.5-flash:generateContent`, {
      method: 'POST',
      headers: { 'x-goog-api-key': 'k' },
      body,
      signal: AbortSignal.timeout(300),
    });
    await expect(asked).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(totals().unbilled).toEqual({ hang: 1 });
    await close();
  });
});

describe('faults of the answer', () => {
  const always = (fault: string): Promise<Simulator> => simulate({ rates: { [fault]: 1 } });

  it('are billed and told in the ledger', async () => {
    const { url, ledger, totals } = await always('invalidJson');
    const text = textAt((await askAnthropic(url)).body, 'content', 0, 'text');
    expect(() => parseJson(text)).toThrow(SyntaxError);
    expect(ledger()).toMatchObject([{ fault: 'invalidJson', status: 200, n: 1 }]);
    expect(totals()).toMatchObject({ requests: 1, faults: { invalidJson: 1 } });
  });

  it('prose around JSON, wrong and missing fields', async () => {
    const prose = textAt((await askAnthropic((await always('proseAroundJson')).url)).body, 'content', 0, 'text');
    expect(prose).toContain(JSON.stringify(ANSWER));
    expect(prose).not.toBe(JSON.stringify(ANSWER));
    const wrong = parseJson(textAt((await askAnthropic((await always('wrongFields')).url)).body, 'content', 0, 'text'));
    expect(wrong).not.toEqual(ANSWER);
    expect(keys(wrong)).toEqual(Object.keys(ANSWER));
    const missing = parseJson(
      textAt((await askAnthropic((await always('missingFields')).url)).body, 'content', 0, 'text'),
    );
    expect(keys(missing).length).toBeLessThan(6);
  });

  it('truncation uses up the whole allowance', async () => {
    const { url } = await always('truncation');
    const anthropic = await askAnthropic(url);
    expect(anthropic.body).toMatchObject({ stop_reason: 'max_tokens', usage: { output_tokens: 400 } });
    expect((await askOpenai(url, { max_tokens: 300 })).body).toMatchObject({
      choices: [{ finish_reason: 'length' }],
      usage: { completion_tokens: 300 },
    });
    expect((await askGemini(url)).body).toMatchObject({ candidates: [{ finishReason: 'MAX_TOKENS' }] });
  });

  it('a refusal', async () => {
    const { url } = await always('refusal');
    expect((await askAnthropic(url)).body).toMatchObject({
      content: [],
      stop_reason: 'refusal',
      stop_details: { type: 'refusal', category: null },
    });
    const { body } = await askOpenai(url);
    expect(body).toMatchObject({ choices: [{ finish_reason: 'stop', message: { content: null } }] });
    expect(textAt(body, 'choices', 0, 'message', 'refusal')).toMatch(/^I/);
    expect((await askGemini(url)).body).toMatchObject({
      candidates: [{ content: {}, finishReason: 'PROHIBITED_CONTENT' }],
    });
  });

  it('a safety block', async () => {
    const { url } = await always('safetyBlock');
    expect((await askAnthropic(url)).body).toMatchObject({
      stop_reason: 'refusal',
      stop_details: { category: 'general_harms' },
    });
    expect((await askOpenai(url)).body).toMatchObject({ choices: [{ finish_reason: 'content_filter' }] });
    const { body } = await askGemini(url);
    expect(body).not.toHaveProperty('candidates');
    expect(body).toMatchObject({ promptFeedback: { blockReason: 'SAFETY' } });
    expect(at(body, 'usageMetadata')).not.toHaveProperty('candidatesTokenCount');
  });

  it('nothing at all', async () => {
    const { url } = await always('empty');
    expect((await askAnthropic(url)).body).toMatchObject({
      content: [],
      stop_reason: 'end_turn',
      usage: { output_tokens: 0 },
    });
    expect((await askOpenai(url)).body).toMatchObject({
      choices: [{ finish_reason: 'stop', message: { content: '' } }],
    });
    expect((await askGemini(url)).body).toMatchObject({
      candidates: [{ content: { role: 'model' }, finishReason: 'STOP' }],
    });
  });

  it('of form do not touch answers without one', async () => {
    const { url, totals } = await always('invalidJson');
    await askAnthropic(url, { output_config: {} });
    expect(totals().faults).toEqual({});
  });
});

describe('a run', () => {
  const rates = {
    rateLimit: 0.05,
    serverError: 0.05,
    wrongFields: 0.2,
    missingFields: 0.1,
    invalidJson: 0.1,
    truncation: 0.05,
    empty: 0.05,
  };
  const records = Array.from({ length: 100 }, (_, n) => record(n));

  it('repeats exactly, whatever its order and concurrency', async () => {
    const [one, other] = [await simulate({ seed: 5, rates }), await simulate({ seed: 5, rates })];
    const together = (await run(one.url, records)).map(outcome);
    const backwards: string[] = [];
    for (const content of [...records].reverse()) {
      const [got] = await run(other.url, [content]);
      if (got !== undefined) backwards.unshift(outcome(got));
    }
    expect(backwards).toEqual(together);
    expect({ ...other.totals() }).toEqual({ ...one.totals() });
    const third = await simulate({ seed: 6, rates });
    expect((await run(third.url, records)).map(outcome)).not.toEqual(together);
  });

  it('decides anew when the same request comes again', async () => {
    const { url } = await simulate({ rates: { serverError: 0.5 } });
    const seen: number[] = [];
    for (let i = 0; i < 12; i += 1) seen.push((await askAnthropic(url)).status);
    expect(new Set(seen)).toEqual(new Set([200, 500]));
  });

  it('has about the rates it says', async () => {
    const many = Array.from({ length: 400 }, (_, n) => record(n));
    const { url, totals } = await simulate({ rates });
    await run(url, many);
    const { requests, faults, unbilled } = totals();
    expect(requests).toBe(400 - (unbilled['rateLimit'] ?? 0) - (unbilled['serverError'] ?? 0));
    expect(requests).toBeGreaterThan(335);
    expect(requests).toBeLessThan(385);
    expect((faults['wrongFields'] ?? 0) / requests).toBeGreaterThan(0.14);
    expect((faults['wrongFields'] ?? 0) / requests).toBeLessThan(0.26);
  });
});

describe('later stages', () => {
  const share = async (later: (content: string) => JsonObject): Promise<number> => {
    const { url, totals } = await simulate({ rates: { wrongFields: 0.8 }, laterStages: 0 });
    const records = Array.from({ length: 20 }, (_, n) => record(n));
    await run(url, records);
    const before = totals().faults['wrongFields'] ?? 0;
    expect(before).toBeGreaterThan(10);
    for (const content of records)
      await askAnthropic(url, later(content), { 'x-api-key': 'k', 'anthropic-version': '2023-06-01' });
    return (totals().faults['wrongFields'] ?? 0) - before;
  };
  const user = (content: string): JsonObject => ({ messages: [{ role: 'user', content }] });
  const partial: JsonObject = {
    type: 'object',
    properties: { amount: { type: 'number' } },
    required: ['amount'],
    additionalProperties: false,
  };

  it.each<[string, (content: string) => JsonObject]>([
    ['with words added to the record', (content) => user(`${content}\n\nThis was wrong: amount.`)],
    [
      'with a turn added',
      (content) => ({
        messages: [
          { role: 'user', content },
          { role: 'assistant', content: '{}' },
          { role: 'user', content: 'Correct this.' },
        ],
      }),
    ],
    [
      'that ask for less',
      (content) => ({ ...user(content), output_config: { format: { type: 'json_schema', schema: partial } } }),
    ],
    ['at another temperature', (content) => ({ ...user(content), temperature: 0.5 })],
    [
      'at another effort',
      (content) => ({
        ...user(content),
        output_config: { effort: 'high', format: { type: 'json_schema', schema: SCHEMA } },
      }),
    ],
    ['that repeat an answered request', user],
  ])('%s make fewer faults of form', async (_what, later) => {
    expect(await share(later)).toBe(0);
  });

  it('answer from the record, not from what was added to it', async () => {
    const { url } = await simulate();
    await askAnthropic(url);
    const { body } = await askAnthropic(url, {
      ...user(`${RECORD}\n\nKept: {"email":"other@kept.example","amount":7}. Wrong: amount must be a number.`),
      output_config: { format: { type: 'json_schema', schema: partial } },
    });
    expect(parseJson(textAt(body, 'content', 0, 'text'))).toEqual({ amount: 149 });
  });
});
