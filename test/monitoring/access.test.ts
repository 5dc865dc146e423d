import { isLocalName, refusal } from '../../src/monitoring/access.js';

it.each(['localhost', '127.0.0.1', '127.8.0.1', '::1', '[::1]'])('%s is this machine', (name) => {
  expect(isLocalName(name)).toBe(true);
});

it.each(['0.0.0.0', '10.0.0.1', 'localhost.example.com', '127.0.0.1.example.com', ''])('%s is not', (name) => {
  expect(isLocalName(name)).toBe(false);
});

it('answers without a token only to names of this machine', () => {
  const ask = (host?: string) => refusal({ host, authorization: undefined }, undefined);
  expect(ask('127.0.0.1:7180')).toBeNull();
  expect(ask('localhost')).toBeNull();
  expect(ask('[::1]:7180')).toBeNull();
  expect(ask('rebound.example.com:7180')).toMatchObject({ status: 403 });
  expect(ask()).toMatchObject({ status: 403 });
});

it('answers with a token only to whoever sends it', () => {
  const ask = (authorization?: string) => refusal({ host: 'figures.example.com', authorization }, 'secret');
  expect(ask('Bearer secret')).toBeNull();
  expect(ask('bearer secret')).toBeNull();
  expect(ask('Bearer secrets')).toMatchObject({ status: 401 });
  expect(ask('secret')).toMatchObject({ status: 401 });
  expect(ask()).toMatchObject({ status: 401 });
});
