import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/tempered', import.meta.url));

/** Starts `tempered sim` as a process of its own. `env` makes programs use it; `entries` are the billed requests so far. */
export async function startSimulator() {
  const child = spawn(process.execPath, [BIN, 'sim'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  await new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error('The simulator ended.')));
    child.stdout.setEncoding('utf8').on('data', (text) => {
      said += text;
      if (said.includes('COMPATIBLE_BASE_URL=') && said.endsWith('\n')) resolve();
    });
  });
  const url = /Simulator on (http:\S+?);/.exec(said)[1];
  const env = Object.fromEntries([...said.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]));
  const ask = async (path, method = 'GET', body = undefined) => {
    const response = await fetch(`${url}${path}`, { method, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return response.text();
  };
  return {
    url,
    env,
    scenario: (scenario) => ask('/scenario', 'PUT', scenario),
    clear: () => ask('/ledger', 'DELETE'),
    totals: async () => JSON.parse(await ask('/ledger')),
    entries: async () =>
      (await ask('/ledger?entries=1'))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
    stop: () => child.kill(),
  };
}
