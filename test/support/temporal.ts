import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { obtainProgram } from '../../src/client/embedded/index.js';

/** A Temporal dev server of our own, in memory. */
export interface TestTemporal {
  /** `host:port`. */
  readonly address: string;
  stop(): Promise<void>;
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

/** Starts a server on a free port. `dynamicConfig`: values such as `limit.historyCount.suggestContinueAsNew=50`. */
export async function startTemporal(dynamicConfig: readonly string[] = []): Promise<TestTemporal> {
  const program = await obtainProgram({ env: process.env, onProgress: () => undefined });
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const values = ['matching.numTaskqueueReadPartitions=1', 'matching.numTaskqueueWritePartitions=1', ...dynamicConfig];
  const child = spawn(
    program,
    [
      ...['server', 'start-dev', '--headless', '--ip', '127.0.0.1', '--port', String(port), '--log-level', 'error'],
      ...['--disable-config-file', '--disable-config-env'],
      ...values.flatMap((value) => ['--dynamic-config-value', value]),
    ],
    { cwd: tmpdir(), stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const closed = once(child, 'close');
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4_000);
    });
  }
  for (;;) {
    const connection = await Connection.connect({ address, connectTimeout: 1_000 }).catch(() => undefined);
    if (connection !== undefined) {
      await connection.workflowService.describeNamespace({ namespace: 'default' });
      await connection.close();
      break;
    }
    if (child.exitCode !== null) throw new Error(`Temporal did not start: ${said}`);
    await sleep(100);
  }
  return {
    address,
    async stop() {
      child.kill('SIGTERM');
      await closed;
    },
  };
}
