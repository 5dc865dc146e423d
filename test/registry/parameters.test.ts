import { checkParams } from '../../src/registry/parameters.js';

describe('keys among parameters', () => {
  test.each([
    ['api_key', { api_key: 'k' }],
    ['httpOptions.headers.x-goog-api-key', { httpOptions: { headers: { 'x-goog-api-key': 'k' } } }],
    ['mcp_servers.0.authorization_token', { mcp_servers: [{ url: 'http://127.0.0.1', authorization_token: 'k' }] }],
    ['headers.cookie', { headers: [['cookie', 'k']] }],
  ])('are refused at any depth: %s', (path, params) => {
    expect(() => checkParams(params)).toThrow(`A key must not stand among the parameters: ${path}.`);
  });

  test('a schema may describe a password', () => {
    const parameters = { type: 'object', properties: { password: { type: 'string' } }, required: ['password'] };
    expect(() => checkParams({ tools: [{ name: 'login', parameters }] })).not.toThrow();
  });
});
