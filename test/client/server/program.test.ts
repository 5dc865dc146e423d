import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { obtainProgram } from '../../../src/client/embedded/index.js';
import { TemperedError } from '../../../src/task/errors.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tempered-program-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A proxy that refuses: whatever wants the network finds none. */
const NO_NETWORK = { HTTPS_PROXY: 'http://127.0.0.1:9', HTTP_PROXY: 'http://127.0.0.1:9' };

async function executable(name: string, script: string): Promise<string> {
  const file = path.join(folder, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  return file;
}

const TEMPORAL = 'echo temporal version 1.5.1';

function obtain(env: Record<string, string>, said: string[] = []): Promise<string> {
  const here = { HOME: folder, PATH: path.join(folder, 'bin'), ...NO_NETWORK, ...env };
  return obtainProgram({ env: here, onProgress: (line) => said.push(line) });
}

test('it is looked for in TEMPORAL_CLI_PATH, on PATH and in the cache, in this order', async () => {
  const cached = await executable('.cache/tempered/temporal', TEMPORAL);
  expect(await obtain({})).toBe(cached);
  const other = await executable('caches/tempered/temporal', TEMPORAL);
  expect(await obtain({ XDG_CACHE_HOME: path.join(folder, 'caches') })).toBe(other);
  const onPath = await executable('bin/temporal', TEMPORAL);
  expect(await obtain({})).toBe(onPath);
  const given = await executable('mine', TEMPORAL);
  expect(await obtain({ TEMPORAL_CLI_PATH: given })).toBe(given);
});

test('another program called temporal on PATH is not taken for it', async () => {
  await executable('bin/temporal', 'echo a calendar');
  const cached = await executable('.cache/tempered/temporal', TEMPORAL);
  expect(await obtain({})).toBe(cached);
});

test('a TEMPORAL_CLI_PATH that is no such program is an error, not skipped', async () => {
  await executable('bin/temporal', TEMPORAL);
  const wrong = await executable('wrong', 'exit 1');
  for (const given of [wrong, folder, path.join(folder, 'none')]) {
    await expect(obtain({ TEMPORAL_CLI_PATH: given })).rejects.toThrow('TEMPORAL_CLI_PATH');
  }
});

test('it is built by Go into the cache when it can not be downloaded', async () => {
  await executable('bin/go', `echo "$@" > ${folder}/asked\nprintf '#!/bin/sh\\n${TEMPORAL}\\n' > "$GOBIN/temporal"`);
  const said: string[] = [];
  expect(await obtain({}, said)).toBe(path.join(folder, '.cache/tempered/temporal'));
  expect(await readFile(path.join(folder, 'asked'), 'utf8')).toBe(
    'install github.com/temporalio/cli/cmd/temporal@v1.5.1\n',
  );
  expect(said.join('\n')).toMatch(/Downloading[^]*did not work[^]*Building/);
  expect(await obtain({})).toBe(path.join(folder, '.cache/tempered/temporal'));
});

test('when nothing works the error says why and lists the choices', async () => {
  await executable('bin/go', 'echo "go: error: no modules here" >&2\nexit 1');
  const error: unknown = await obtain({}).catch((reason: unknown) => reason);
  if (!(error instanceof TemperedError)) throw new Error(String(error));
  expect(error.category).toBe('network');
  expect(error.message).toMatch(/the download failed: .*; Go could not build it: go: error: no modules here\.$/);
  for (const choice of ['TEMPORAL_CLI_PATH', 'on PATH', 'install Go', 'TEMPORAL_ADDRESS']) {
    expect(error.explanation).toContain(choice);
  }
});

test('a cache that can not be written is an error that names the folder', async () => {
  await expect(obtain({ XDG_CACHE_HOME: '/sys' })).rejects.toThrow('/sys');
});
