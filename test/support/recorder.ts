import { once } from 'node:events';
import { createServer, type IncomingMessage, request as send } from 'node:http';

/** A request as the provider saw it. */
export interface SeenRequest {
  /** What the pattern's first group found in its body. */
  readonly record: string;
  /** Requests about the same record before this one. */
  readonly earlier: number;
  /** When it came, milliseconds since epoch. */
  readonly at: number;
  /** Its whole body. */
  readonly body: string;
}

/** Stands between workers and a provider, and writes down which record each request is about. */
export interface Recorder {
  readonly url: string;
  readonly seen: readonly SeenRequest[];
  /** Resolves with the first request after the first `from` that `test` accepts. */
  next(from: number, test?: (request: SeenRequest) => boolean): Promise<SeenRequest>;
  close(): Promise<void>;
}

/**
 * A recording proxy before the HTTP server at `target`. `record`: finds the record in a request's body. `refusal`: what
 * a request is answered with 400 instead of being handed on; by default nothing is. `delivers`: asked when the target
 * has answered; the answer waits for it, and is lost, with its connection, where it says no.
 */
export async function startRecorder(
  target: string,
  record: RegExp,
  refusal: (body: string) => string | null = () => null,
  delivers: (request: IncomingMessage) => Promise<boolean> = () => Promise.resolve(true),
): Promise<Recorder> {
  const seen: SeenRequest[] = [];
  const listeners = new Set<() => void>();
  const note = (body: string): void => {
    const name = record.exec(body)?.[1];
    if (name === undefined) return;
    seen.push({ record: name, earlier: seen.filter((one) => one.record === name).length, at: Date.now(), body });
    for (const listener of [...listeners]) listener();
  };
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks);
      note(body.toString());
      const refused = refusal(body.toString());
      if (refused !== null) {
        outgoing.writeHead(400, { 'content-type': 'application/json' }).end(refused);
        return;
      }
      const { method, headers, url = '/' } = incoming;
      const onward = send(`${target}${url}`, { method, headers }, (answer) => {
        void delivers(incoming).then((delivered) => {
          if (!delivered) {
            outgoing.destroy();
            return;
          }
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
        });
      });
      onward.on('error', () => outgoing.destroy());
      onward.end(body);
    });
  }).listen(0, '127.0.0.1');
  // Longer than clients keep idle connections: one that is closed first looks like a reset.
  server.keepAliveTimeout = 600_000;
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    seen,
    next: (from, test = () => true) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = seen.slice(from).find(test);
          if (found === undefined) return;
          listeners.delete(look);
          resolve(found);
        };
        listeners.add(look);
        look();
      }),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
