import { connect } from 'node:net';
import { simulatorEnv, startSimulator } from '../../src/simulator/index.js';
import { TemperedError } from '../../src/task/errors.js';
import { askAnthropic, RECORD, send, simulate, stopAll, textAt } from './wire.js';

afterAll(stopAll);

describe('the simulator', () => {
  it('says where each provider is', () => {
    expect(simulatorEnv('http://127.0.0.1:9')).toEqual({
      ANTHROPIC_BASE_URL: 'http://127.0.0.1:9/anthropic',
      ANTHROPIC_API_KEY: 'sim-key',
      GOOGLE_GEMINI_BASE_URL: 'http://127.0.0.1:9/gemini',
      GEMINI_API_KEY: 'sim-key',
      OPENAI_BASE_URL: 'http://127.0.0.1:9/openai/v1',
      OPENAI_API_KEY: 'sim-key',
      LMSTUDIO_BASE_URL: 'http://127.0.0.1:9/lmstudio/v1',
      OLLAMA_BASE_URL: 'http://127.0.0.1:9/ollama/v1',
      COMPATIBLE_BASE_URL: 'http://127.0.0.1:9/compatible/v1',
      COMPATIBLE_API_KEY: 'sim-key',
    });
  });

  it('is healthy, and knows no other paths', async () => {
    const { url, port } = await simulate();
    expect(url).toBe(`http://127.0.0.1:${port}`);
    expect((await send('GET', `${url}/healthz`)).body).toEqual({ ok: true });
    const other = await send('GET', `${url}/nothing`);
    expect(other.status).toBe(404);
    expect(textAt(other.body, 'error', 'message')).toBe('There is no GET /nothing.');
  });

  it('reports and resets its ledger over HTTP', async () => {
    const { url, totals, ledger } = await simulate();
    await askAnthropic(url);
    await askAnthropic(url, {}, { 'anthropic-version': '2026-10-21', 'x-api-key': 'wrong' });
    expect((await send('GET', `${url}/ledger`)).body).toEqual({ ...totals() });
    const lines = (await (await fetch(`${url}/ledger?entries=1`)).text()).trim().split('\n');
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual(ledger());
    expect((await send('DELETE', `${url}/ledger`)).status).toBe(200);
    expect(totals()).toMatchObject({ requests: 0, unbilled: {}, byModel: {} });
  });

  it('changes its scenario while it runs, if it is valid', async () => {
    const { url } = await simulate();
    expect((await send('PUT', `${url}/scenario`, { rates: { overloaded: 1 } })).status).toBe(200);
    expect((await askAnthropic(url)).status).toBe(529);
    const wrong = await send('PUT', `${url}/scenario`, { rates: { overload: 1 } });
    expect(wrong.status).toBe(400);
    expect(textAt(wrong.body, 'error', 'message')).toContain('Did you mean overloaded?');
    expect((await askAnthropic(url)).status).toBe(529);
  });

  it('waits as long as it says', async () => {
    const { url } = await simulate({ latency: { fixedMs: 80 } });
    const started = performance.now();
    await askAnthropic(url);
    expect(performance.now() - started).toBeGreaterThanOrEqual(75);
  });

  it('answers at once what waits when it is told to', async () => {
    const { url, totals } = await simulate({ latency: { fixedMs: 600_000 } });
    const answer = askAnthropic(url);
    while (totals().requests === 0) await send('GET', `${url}/healthz`);
    await Promise.all([send('POST', `${url}/release`), send('POST', `${url}/release`)]);
    expect((await answer).status).toBe(200);
    expect((await send('GET', `${url}/healthz`)).body).toEqual({ ok: true });
  });

  it('bills an answer also when nobody waits for it any more', async () => {
    const { url, port, totals } = await simulate({ latency: { fixedMs: 60_000 } });
    const body = JSON.stringify({
      model: 'claude-sonnet-4-6',
      max_tokens: 50,
      messages: [{ role: 'user', content: RECORD }],
    });
    const socket = connect(port, '127.0.0.1');
    socket.write(
      `POST /anthropic/v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: k\r\nanthropic-version: 2026-10-21\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    while (totals().requests === 0) await send('GET', `${url}/healthz`);
    socket.destroy();
    expect(totals().requests).toBe(1);
  });

  it('refuses bodies over 32 MB and bodies that are no JSON', async () => {
    const { url, totals } = await simulate();
    const large = await fetch(`${url}/anthropic/v1/messages`, { method: 'POST', body: 'x'.repeat(33 * 1024 * 1024) });
    expect(large.status).toBe(413);
    expect(await large.json()).toMatchObject({ error: { type: 'request_too_large' } });
    const keys = {
      'x-api-key': 'k',
      'x-goog-api-key': 'k',
      authorization: 'Bearer k',
      'anthropic-version': '2026-10-21',
    };
    for (const path of [
      'anthropic/v1/messages',
      'openai/v1/chat/completions',
      'gemini/v1/models/gemini-2.5-flash:generateContent',
    ]) {
      const broken = await fetch(`${url}/${path}`, { method: 'POST', headers: keys, body: '{"a":' });
      expect(broken.status).toBe(400);
      expect(JSON.stringify(await broken.json())).toMatch(/JSON/);
    }
    expect(totals()).toMatchObject({ requests: 0, unbilled: { refused: 3 } });
  });

  it('says so when its port is taken', async () => {
    const { port } = await simulate();
    const second = startSimulator({ port });
    await expect(second).rejects.toBeInstanceOf(TemperedError);
    await expect(second).rejects.toThrow(`The simulator can't listen on 127.0.0.1:${port}`);
  });

  it('stops at once, also with requests waiting', async () => {
    const simulator = await startSimulator({ scenario: { latency: { fixedMs: 60_000 } } });
    const waiting = expect(askAnthropic(simulator.url)).rejects.toThrow();
    while (simulator.totals().requests === 0) await send('GET', `${simulator.url}/healthz`);
    await simulator.close();
    await simulator.close();
    await waiting;
  });
});
