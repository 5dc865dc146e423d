import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A TCP proxy that can go away: a database that restarts, as its clients see it. */
export interface FlakyProxy {
  readonly port: number;
  /** Cuts every connection and refuses new ones until {@link FlakyProxy.heal}. */
  breakDown(): void;
  heal(): void;
  close(): Promise<void>;
}

/** A proxy to a port of this machine. */
export async function startFlakyProxy(targetPort: number): Promise<FlakyProxy> {
  const sockets = new Set<Socket>();
  let broken = false;
  const server = createServer((client) => {
    if (broken) {
      client.destroy();
      return;
    }
    const target = connect(targetPort, '127.0.0.1');
    for (const [one, other] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const cut = (): void => {
    broken = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: address.port,
    breakDown: cut,
    heal: () => {
      broken = false;
    },
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
