import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { childEnvironment, scriptArguments, SCRIPTS_FOLDER } from './scripts.js';

/** The Go module of the Temporal CLI. Later tags can't be installed: their go.mod has a replace directive. */
const GO_MODULE = 'github.com/temporalio/cli/cmd/temporal@v1.5.1';

/** A download that brings nothing for this long has failed; milliseconds. */
const STALL_LIMIT_MS = 20_000;

/** Longest build; milliseconds. About 150 s on two cores that do nothing else. */
const BUILD_LIMIT_MS = 20 * 60_000;

/** How often a build says that it goes on; milliseconds. */
const SAY_MS = 15_000;

const LOOK_MS = 250;

/** Bytes of a child's output kept for an error. */
const OUTPUT_KEPT = 2000;

/** Characters of the line that tells why a child failed. */
const SAID_KEPT = 200;

type Say = (line: string) => void;

/** Lets the Temporal SDK download the program to `target`. Throws when it can't, or stops bringing data. */
export async function downloadProgram(target: string, env: NodeJS.ProcessEnv, say: Say): Promise<void> {
  say('Downloading it (about 100 MB)');
  await viaFolder(target, async (folder) => {
    const child = spawn(process.execPath, scriptArguments('download', folder), {
      cwd: SCRIPTS_FOLDER,
      env: childEnvironment(env),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let bytes = 0;
    let since = Date.now();
    await ended(child, 'the download failed', async () => {
      const now = await bytesIn(folder);
      if (now !== bytes) since = Date.now();
      bytes = now;
      return Date.now() - since > STALL_LIMIT_MS ? 'the download stalled' : undefined;
    });
  });
}

/** Builds the program with Go and puts it at `target`. Throws when that fails. */
export async function buildProgram(go: string, target: string, env: NodeJS.ProcessEnv, say: Say): Promise<void> {
  say('Building it with Go (some minutes, once)');
  await viaFolder(target, async (folder) => {
    const begun = Date.now();
    let said = begun;
    const child = spawn(go, ['install', GO_MODULE], {
      cwd: folder,
      env: { ...env, GOBIN: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    await ended(child, 'Go could not build it', () => {
      const now = Date.now();
      if (now - said > SAY_MS) {
        said = now;
        say(`Still building: ${Math.round((now - begun) / 1000)} s`);
      }
      return now - begun > BUILD_LIMIT_MS ? 'the build took too long' : undefined;
    });
  });
}

/** Gives `make` an empty folder beside `target`; the largest file it makes there becomes `target`, by rename. */
async function viaFolder(target: string, make: (folder: string) => Promise<void>): Promise<void> {
  await mkdir(path.dirname(target), { recursive: true });
  const folder = await mkdtemp(`${target}-`);
  try {
    await make(folder);
    const [program] = (await filesIn(folder)).sort((a, b) => b.size - a.size);
    if (program === undefined) throw new Error('it brought no file');
    await chmod(program.file, 0o755);
    await rename(program.file, target);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function filesIn(folder: string): Promise<{ file: string; size: number }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  return Promise.all(files.map(async (file) => ({ file, size: await sizeOf(file) })));
}

async function bytesIn(folder: string): Promise<number> {
  return (await filesIn(folder)).reduce((sum, { size }) => sum + size, 0);
}

/** Files come and go while a download runs. */
async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

/** Waits for a child's good end, asking `look` now and then whether to give up and why. */
async function ended(
  child: ChildProcess,
  failure: string,
  look: () => Promise<string | undefined> | string | undefined,
): Promise<void> {
  let output = '';
  const keep = (chunk: Buffer) => (output = `${output}${chunk.toString()}`.slice(-OUTPUT_KEPT));
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  let end: { reason: string | undefined } | undefined;
  child.once('error', (error) => (end = { reason: error.message }));
  child.once('close', (code) => (end ??= { reason: code === 0 ? undefined : lastLine(output) }));
  while (end === undefined) {
    await sleep(LOOK_MS);
    const why = await look();
    if (why === undefined) continue;
    child.kill('SIGKILL');
    throw new Error(why);
  }
  if (end.reason !== undefined) throw new Error(`${failure}: ${end.reason}`);
}

function lastLine(output: string): string {
  const lines = output.split('\n').filter((line) => /\S/.test(line) && !/^\s+at |^Node\.js/.test(line));
  return (lines.find((line) => /error/i.test(line)) ?? lines.at(-1) ?? 'no word why').trim().slice(0, SAID_KEPT);
}
