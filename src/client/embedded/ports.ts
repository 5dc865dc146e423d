import { createHash } from 'node:crypto';
import { createConnection, createServer } from 'node:net';

/** Below the ranges from which systems pick ports by themselves (32768 and up), so ours stay free while we are away. */
const FIRST_PORT = 20_000;

/** Pairs of ports from there on. */
const PAIRS = 5000;

/** Ports of the server and its web UI. */
export interface Ports {
  /** gRPC. */
  readonly port: number;
  /** Web UI. */
  readonly uiPort: number;
}

/**
 * Pairs of ports that are free now, the folder's own pair first: folders have different ones, so a server that was
 * stopped seldom finds its ports taken by another folder's when it comes back.
 */
export async function* freePorts(folder: string): AsyncGenerator<Ports> {
  const own = createHash('sha256').update(folder).digest().readUInt32BE();
  for (let pair = 0; pair < PAIRS; pair += 1) {
    const port = FIRST_PORT + 2 * ((own + pair) % PAIRS);
    const ports = { port, uiPort: port + 1 };
    if ((await takenPort(ports)) === undefined) yield ports;
  }
}

/** The one of the two ports that can't be listened on; undefined when both are free. */
export async function takenPort({ port, uiPort }: Ports): Promise<number | undefined> {
  for (const one of [port, uiPort]) if (!(await isFree(one))) return one;
  return undefined;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Whether anything accepts connections on a port of this machine. */
export function isListening(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.setTimeout(1000, () => end(false));
  });
}
