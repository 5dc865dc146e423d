import { createConnection, createServer } from 'node:net';

/** Temporal's own port. It and those after it lie below the range systems pick from, so they stay free for us. */
export const FIRST_PORT = 7233;
const LAST_PORT = 7999;
const UI_OFFSET = 1000;

/** Ports of the server and its web UI. */
export interface Ports {
  /** gRPC. */
  readonly port: number;
  /** Web UI. */
  readonly uiPort: number;
}

/** The first pair of free ports from `first` on; undefined when there is none. */
export async function freePorts(first: number): Promise<Ports | undefined> {
  for (let port = first; port <= LAST_PORT; port += 1) {
    const ports = { port, uiPort: port + UI_OFFSET };
    if ((await takenPort(ports)) === undefined) return ports;
  }
  return undefined;
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
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.setTimeout(1000, () => end(false));
  });
}
