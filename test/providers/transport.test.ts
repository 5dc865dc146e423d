import { failed, FOREVER, KEY, providerFor, request, Wire } from './wire.js';

const wire = new Wire();
beforeAll(() => wire.start());
afterAll(() => wire.stop());
afterEach(() => wire.reset());

const PROVIDERS = ['anthropic', 'gemini', 'openai'];
const MODELS: Readonly<Record<string, string>> = {
  anthropic: 'claude-sonnet-4-6',
  gemini: 'gemini-2.5-flash',
  openai: 'gpt-4.1',
};

function ask(name: string, timeoutMs = 5000): ReturnType<typeof request> {
  return request(MODELS[name] ?? '', { timeoutMs });
}

describe.each(PROVIDERS)('%s', (name) => {
  it('tells a timeout from a cancellation', async () => {
    // A server of its own: a request that is given up may arrive late, and would take another test's reply.
    const slow = new Wire();
    await slow.start();
    slow.reply({ instead: 'hang' }, { instead: 'hang' });
    const late = failed(await providerFor(slow, name).send(ask(name, 30), FOREVER));
    expect(late.error).toMatchObject({ category: 'timeout', retryable: true, billed: 'unknown', status: null });
    const stop = new AbortController();
    const pending = providerFor(slow, name).send(ask(name), stop.signal);
    setTimeout(() => stop.abort(), 20);
    const cancelled = failed(await pending);
    expect(cancelled.error).toMatchObject({ category: 'cancelled', retryable: false, billed: 'unknown' });
    await slow.stop();
  });

  it('sends nothing when it is cancelled before', async () => {
    const reply = failed(await providerFor(wire, name).send(ask(name), AbortSignal.abort()));
    expect(reply.error).toMatchObject({ category: 'cancelled', billed: 'no' });
    expect(wire.requests).toHaveLength(0);
  });

  it('reports a reset once, as perhaps billed', async () => {
    wire.reply({ instead: 'reset' });
    const reply = failed(await providerFor(wire, name).send(ask(name), FOREVER));
    expect(reply.error).toMatchObject({ category: 'network', code: 'ECONNRESET', retryable: true, billed: 'unknown' });
    expect(reply).toMatchObject({ usage: null, model: null, raw: null });
    expect(wire.requests).toHaveLength(1);
  });

  it('reports a refused connection as not billed', async () => {
    const nobody = new Wire();
    await nobody.start();
    const provider = providerFor(nobody, name);
    await nobody.stop();
    const reply = failed(await provider.send(ask(name), FOREVER));
    expect(reply.error).toMatchObject({ category: 'network', code: 'ECONNREFUSED', retryable: true, billed: 'no' });
    expect(reply.error.message).toContain('127.0.0.1');
  });

  it('does not try again what can never connect: TLS to a plain server, a scheme that is not HTTP', async () => {
    for (const base of [wire.url.replace('http:', 'https:'), 'ftp://127.0.0.1']) {
      const env = { ANTHROPIC_BASE_URL: base, GOOGLE_GEMINI_BASE_URL: base, OPENAI_BASE_URL: base };
      const reply = failed(await providerFor(wire, name, env).send(ask(name), FOREVER));
      expect(reply.error).toMatchObject({ category: 'network', retryable: false, billed: 'no' });
    }
  });

  it('keeps calls that run at the same time apart', async () => {
    const provider = providerFor(wire, name);
    wire.reply(...Array.from({ length: 6 }, (_, index) => ({ status: 500 + index, body: `error ${index}` })));
    const replies = await Promise.all(Array.from({ length: 6 }, () => provider.send(ask(name), FOREVER)));
    const statuses = replies.map((reply) => failed(reply).error.status);
    expect(statuses.sort()).toEqual([500, 501, 502, 503, 504, 505]);
  });

  it('never shows its key', async () => {
    wire.reply({ status: 400, body: `bad key ${KEY}` });
    expect(JSON.stringify(await providerFor(wire, name).send(ask(name), FOREVER))).not.toContain(KEY);
  });
});
