import { call } from '../../src/client/call.js';
import { createProviderSet } from '../../src/providers/providerSet.js';

/** The cheapest model of each provider that exercises its adapter; override with TEMPERED_LIVE_<PROVIDER>. */
const MODELS: Readonly<Record<string, string>> = {
  anthropic: process.env['TEMPERED_LIVE_ANTHROPIC'] ?? 'anthropic/claude-haiku-4-5',
  gemini: process.env['TEMPERED_LIVE_GEMINI'] ?? 'gemini/gemini-2.5-flash-lite',
  openai: process.env['TEMPERED_LIVE_OPENAI'] ?? 'openai/gpt-4.1-mini',
};

const providers = createProviderSet({ env: process.env });
const reachable = Object.entries(MODELS).filter(([name]) => providers.available.includes(name));

const SCHEMA = {
  type: 'object',
  properties: { city: { type: 'string', minLength: 2 }, people: { type: 'integer', minimum: 1 } },
  required: ['city', 'people'],
};

it('has a key of at least one provider', () => {
  // Without any key nothing can be said about real providers, so nothing may pass.
  expect(
    `set ANTHROPIC_API_KEY, GEMINI_API_KEY or OPENAI_API_KEY: ${reachable.length > 0 ? 'found' : 'none is set'}`,
  ).toMatch(/found$/);
});

for (const [name, model] of reachable) {
  describe(`${name} with ${model}`, () => {
    it('answers in the schema, with usage and a price', async () => {
      const prompt = 'Name the capital of France and about how many people live in the city.';
      const result = await call({ providers, model, prompt, schema: SCHEMA, temperature: 0 });
      expect(result).toMatchObject({ ok: true, output: { city: 'Paris' } });
      if (!result.ok) return;
      expect(result.usage?.inputTokens).toBeGreaterThan(10);
      expect(result.usage?.outputTokens).toBeGreaterThan(5);
      expect(result.costUsd).toBeGreaterThan(0);
    });

    it('reports truncation', async () => {
      const result = await call({ providers, model, prompt: 'Count from 1 to 500.', maxOutputTokens: 16 });
      expect(result).toMatchObject({ ok: false, error: { category: 'truncated' } });
    });

    it('reports a model that does not exist', async () => {
      const result = await call({ providers, model: `${name}/no-such-model-1`, prompt: 'Hi' });
      expect(result).toMatchObject({ ok: false, error: { category: 'model_not_found', retryable: false } });
    });

    it('reports a wrong key', async () => {
      const wrong = 'wrong-key-0123456789';
      const env = { ...process.env, ANTHROPIC_API_KEY: wrong, GEMINI_API_KEY: wrong, OPENAI_API_KEY: wrong };
      const result = await call({ providers: createProviderSet({ env }), model, prompt: 'Hi' });
      expect(result).toMatchObject({ ok: false, error: { category: 'authentication', retryable: false } });
      expect(JSON.stringify(result)).not.toContain(wrong);
    });

    it('lists the model', async () => {
      const ids = await providers.get(name).listModels(AbortSignal.timeout(30_000));
      expect(ids.some((id) => model.endsWith(id) || id.startsWith(model.slice(name.length + 1)))).toBe(true);
    });
  });
}
