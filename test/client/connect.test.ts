import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { batchUrl, connectClient, findTarget, nativeConnection, resolveTarget } from '../../src/client/connect.js';
import { TemperedError } from '../../src/task/errors.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tempered-connect-'));
  await writeFile(
    path.join(folder, 'temporal.toml'),
    `[profile.default]
address = "default.example:7233"
[profile.cloud]
address = "team.a1b2c.tmprl.cloud:7233"
namespace = "team.a1b2c"
api_key = "secret"
[profile.cloud.grpc_meta]
x-team = "blue"
`,
  );
});
afterAll(() => rm(folder, { recursive: true }));

/** An environment in which no other configuration is found. */
const bare = () => ({ HOME: folder, XDG_CONFIG_HOME: folder });
const withFile = () => ({ ...bare(), TEMPORAL_CONFIG_FILE: path.join(folder, 'temporal.toml') });

test('TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE name a cluster; an address given goes before them', async () => {
  const env = { ...bare(), TEMPORAL_ADDRESS: 'temporal.corp:7233', TEMPORAL_NAMESPACE: 'llm' };
  expect(await resolveTarget({ env })).toEqual({
    kind: 'cluster',
    address: 'temporal.corp:7233',
    namespace: 'llm',
    connectionOptions: { address: 'temporal.corp:7233' },
    uiUrl: null,
    folder: null,
  });
  const given = await resolveTarget({ env, address: 'other:1' });
  expect(given).toMatchObject({ address: 'other:1', namespace: 'llm', connectionOptions: { address: 'other:1' } });
});

test('a profile of the config file is honoured: address, namespace, key and headers', async () => {
  expect((await resolveTarget({ env: withFile() })).address).toBe('default.example:7233');
  for (const target of [
    await resolveTarget({ env: withFile(), profile: 'cloud' }),
    await resolveTarget({ env: { ...withFile(), TEMPORAL_PROFILE: 'cloud' } }),
  ]) {
    const options = { apiKey: 'secret', tls: true, metadata: { 'x-team': 'blue' } };
    expect(target).toMatchObject({ namespace: 'team.a1b2c', connectionOptions: options });
    expect(batchUrl(target, 'tickets-1')).toBe('https://cloud.temporal.io/namespaces/team.a1b2c/workflows/tickets-1');
  }
});

test('an unknown profile, or half a configuration, is an error with a remedy', async () => {
  await expect(resolveTarget({ env: withFile(), profile: 'clud' })).rejects.toMatchObject({ category: 'input' });
  await expect(resolveTarget({ env: { ...bare(), TEMPORAL_API_KEY: 'k' } })).rejects.toThrow('An API key');
  await expect(resolveTarget({ env: { ...bare(), TEMPORAL_NAMESPACE: 'llm' } })).rejects.toThrow('The namespace llm');
  await expect(findTarget({ env: { ...bare(), TEMPORAL_NAMESPACE: 'llm' } })).rejects.toThrow('no address');
});

test('the web UI of a cluster is where TEMPORAL_UI_URL says', async () => {
  const env = { ...bare(), TEMPORAL_ADDRESS: 'x:7233', TEMPORAL_UI_URL: 'https://ui.corp/' };
  expect(batchUrl(await resolveTarget({ env }), 'a/b')).toBe('https://ui.corp/namespaces/default/workflows/a%2Fb');
  expect(batchUrl(await resolveTarget({ env: { ...bare(), TEMPORAL_ADDRESS: 'x:7233' } }), 'a')).toBeNull();
});

test('nothing is found where no embedded server runs', async () => {
  expect(await findTarget({ env: bare(), folder: path.join(folder, 'none') })).toBeUndefined();
});

test('a server that does not answer is a network error that says what to do', async () => {
  const target = await resolveTarget({ env: bare(), address: '127.0.0.1:9' });
  for (const attempt of [connectClient, nativeConnection]) {
    const error: unknown = await attempt(target).catch((reason: unknown) => reason);
    if (!(error instanceof TemperedError)) throw new Error(String(error));
    expect(error.category).toBe('network');
    expect(error.message).toBe("The Temporal server 127.0.0.1:9 can't be reached: nothing listens on port 9");
    expect(error.explanation).toContain('TEMPORAL_ADDRESS');
  }
});
