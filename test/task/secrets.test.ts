import type { JsonObject } from '../../src/task/json.js';
import { isSecretName, secretIn } from '../../src/task/secrets.js';
import { parseTaskFile } from '../../src/task/taskFile.js';

/** Built here, so that the file holds nothing of a key's shape. */
const KEY = ['sk', 'test', '0123456789'].join('-');

const parse = (params: JsonObject) =>
  parseTaskFile(
    { name: 'tickets', model: 'anthropic/claude-sonnet-4-6', prompt: '{{text}}', params },
    { file: 'a.json' },
  );

const SECRETS: readonly (readonly [string, JsonObject])[] = [
  ['token', { token: 'k' }],
  ['client_secret', { client_secret: 'k' }],
  ['api_keys.0', { api_keys: ['k'] }],
  ['api_keys.openai', { api_keys: { openai: 'k' } }],
  ['metadata.access_key', { metadata: { access_key: 'k' } }],
  ['headers.cookie', { headers: { cookie: 'k' } }],
  ['headers.x-auth-token', { headers: { 'x-auth-token': 'k' } }],
  ['extra_headers.Proxy-Authorization', { extra_headers: { 'Proxy-Authorization': 'k' } }],
  ['headers.authorization', { headers: [['authorization', 'Bearer abc']] }],
  [
    'headers.1.x-api-key',
    {
      headers: [
        { name: 'accept', value: '*' },
        { name: 'x-api-key', value: 'k' },
      ],
    },
  ],
  ['headers.0.cookie', { headers: [{ key: 'cookie', value: 'k' }] }],
  ['extra.0.key', { extra: [{ name: 'a', value: 'b', key: 'k' }] }],
  ['user', { user: KEY }],
  ['extra.forwarded', { extra: { forwarded: 'Bearer abcdef123' } }],
  ['url', { url: 'http://127.0.0.1/v1?key=abcdef' }],
];

describe('keys among parameters', () => {
  test.each(SECRETS)('are found at any depth: %s', (path, params) => {
    expect(secretIn(params)).toBe(path);
  });

  test.each(SECRETS)('are refused in a task, which is stored: %s', (path, params) => {
    expect(() => parse(params)).toThrow(`params.${path}: a key must not stand in a task`);
    expect(() => parse(params)).not.toThrow(KEY);
  });
});

test.each<readonly [string, JsonObject]>([
  ['sampling', { top_p: 0.9, stop: ['token', 'secret'], logit_bias: { token: 5 }, prompt_cache_key: 'mails' }],
  ['tokens that are text', { eos_token: '</s>', min_tokens: 3, add_special_tokens: true, stop_token: 'end' }],
  ['who asks', { metadata: { user_id: 'u-1' }, user: 'risk-assessment', headers: [['accept', '*/*']] }],
  [
    'tools whose arguments have such names',
    {
      tools: [
        {
          name: 'login',
          description: 'Takes a Bearer authentication of the user.',
          input_schema: {
            type: 'object',
            properties: { token: { type: 'string' }, cookie: { type: 'string', description: 'of the session' } },
            required: ['token', 'cookie'],
          },
        },
      ],
    },
  ],
  [
    'schemas with such fields',
    { format: { type: 'object', $defs: { password: { type: 'string' } }, dependentRequired: { token: ['cookie'] } } },
  ],
])('%s are no keys', (_, params) => {
  expect(secretIn(params)).toBeUndefined();
  expect(parse(params).spec.params).toEqual(params);
});

test('a variable that is named is no key', () => {
  expect(['apiKeyEnv', 'secretEnv', 'max_tokens', 'model', 'monkey'].filter(isSecretName)).toEqual([]);
  expect(['apiKey', 'API-KEY', 'x-goog-api-key', 'Set-Cookie', 'refresh_token'].every(isSecretName)).toBe(true);
});
