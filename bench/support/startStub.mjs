import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('stub.mjs', import.meta.url));

/** Starts the stub. `set` changes its behaviour and forgets its counts; `counts` are the requests it has had since. */
export async function startStub() {
  const child = spawn(process.execPath, [SCRIPT], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
  const url = `http://127.0.0.1:${line.trim()}`;
  return {
    pid: child.pid,
    baseUrl: `${url}/v1`,
    set: (settings) => fetch(`${url}/control`, { method: 'POST', body: JSON.stringify(settings) }),
    counts: async () => (await fetch(`${url}/counts`)).json(),
    stop: () => child.kill(),
  };
}
