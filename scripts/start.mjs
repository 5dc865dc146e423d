// `npm start`: the tickets example on the embedded Temporal server and the simulator. Nothing leaves this machine.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const KEYS = {
  ANTHROPIC_API_KEY: 'anthropic/claude-sonnet-4-6',
  GEMINI_API_KEY: 'gemini/gemini-3.5-flash',
  OPENAI_API_KEY: 'openai/gpt-5-mini',
};

if (!existsSync(path.join(root, 'dist/bundle/main.js'))) {
  console.error('Tempered is not built yet. Run: npm ci');
  process.exit(1);
}
const { loadScenario, simulatorEnv, startSimulator } = await import('../dist/client/simulator.js');
const scenario = await loadScenario(path.join(root, 'examples/scenarios/default.yaml'));
const simulator = await startSimulator({ scenario });
console.log(`Simulator on ${simulator.url} stands in for the provider: no key is used and nothing is spent.`);

const args = ['run', 'examples/tickets/task.ts', 'examples/tickets/tickets.jsonl', ...process.argv.slice(2)];
const child = spawn(process.execPath, [path.join(root, 'bin/tempered'), ...args], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, ...simulatorEnv(simulator.url) },
});
// Ctrl-C reaches the child too; it saves and ends by itself.
process.on('SIGINT', () => {});
const code = await new Promise((resolve) => {
  child.on('exit', (status) => resolve(status ?? 1));
});
await simulator.close();
console.log("\nThe money above is what the same tokens cost at the provider's prices; the simulator charges nothing.");
tellRealProvider();
// Failed tickets are part of the example, not of the command.
process.exitCode = code === 2 ? 0 : code;

/** How the same goes with a real provider, when there is a key. */
function tellRealProvider() {
  const found = Object.entries(KEYS).find(([name]) => (process.env[name] ?? '') !== '');
  const key = found?.[0] ?? 'ANTHROPIC_API_KEY';
  const model = found?.[1] ?? KEYS.ANTHROPIC_API_KEY;
  const data = 'examples/tickets/task.ts examples/tickets/tickets.jsonl';
  const have = found === undefined ? `With ${key} set, a` : `${key} is set: a`;
  console.log(`${have} real model answers ten of them for cents, and never more than you allow:`);
  console.log(`  bin/tempered run ${data} --model ${model} --limit 10 --budget 0.50`);
}
