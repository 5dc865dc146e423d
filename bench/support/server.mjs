// A Temporal server of its own for a benchmark, with our settings or without them.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { obtainProgram } from '../../dist/client/embedded/index.js';

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const listens = (port) =>
  new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
    socket.on('close', () => undefined).setTimeout(500, () => socket.destroy());
  });

/** Starts the server on a new database. `settings`: its further arguments; `env` is added to ours. */
export async function startServer(settings = [], env = {}) {
  const folder = mkdtempSync(path.join(tmpdir(), 'tempered-bench-server-'));
  const program = await obtainProgram({ env: process.env, onProgress: () => undefined });
  const port = await freePort();
  const database = path.join(folder, 'temporal.db');
  const args = ['server', 'start-dev', '--headless', '--ip', '127.0.0.1', '--port', String(port)];
  const child = spawn(program, [...args, '--db-filename', database, '--log-level', 'never', ...settings], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...env },
  });
  while (!(await listens(port))) await sleep(100);
  await sleep(1500);
  return {
    pid: child.pid,
    address: `127.0.0.1:${port}`,
    bytes: () => [database, `${database}-wal`].reduce((sum, file) => sum + sizeOf(file), 0),
    stop: async () => {
      child.kill();
      await new Promise((resolve) => child.once('exit', resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const sizeOf = (file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
