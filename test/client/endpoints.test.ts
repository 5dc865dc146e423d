import { environmentsSchema } from '../../src/caching/environments.js';
import { endpointsOf } from '../../src/client/endpoints.js';

const environments = environmentsSchema.parse({
  default: {},
  staging: { documents: [{ provider: 'anthropic', configuration: { apiKeyEnv: 'STAGING_KEY' } }] },
});
const config = { providers: {}, models: {}, environments };

test("the document of the environment in force names the variable of its provider's key", () => {
  const env = { ANTHROPIC_API_KEY: 'usual', TEMPERED_ENV: 'staging' };
  expect(endpointsOf(config, env).available).not.toContain('anthropic');
  expect(() => endpointsOf(config, env).get('anthropic')).toThrow(/STAGING_KEY is not set/);
  expect(endpointsOf(config, { ...env, STAGING_KEY: 'x' }).available).toContain('anthropic');
});

test('the usual variable holds where no document names another', () => {
  expect(endpointsOf(config, { ANTHROPIC_API_KEY: 'usual' }).available).toContain('anthropic');
  expect(() => endpointsOf(config, { TEMPERED_ENV: 'stagin' })).toThrow(/staging/);
});
