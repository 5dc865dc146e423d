// Packs the project, installs the tarball into an empty folder and uses it there as a user would: the command line,
// and the library from TypeScript. The simulator stands in for the provider.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const tmp = mkdtempSync(path.join(tmpdir(), 'tempered-smoke-'));
const app = path.join(tmp, 'app');
const installed = path.join(app, 'node_modules', 'tempered');

const USE = `
import { defineTask, runBatch } from 'tempered';
import { z } from 'zod';

const task = defineTask({
  name: 'smoke',
  model: 'anthropic/claude-sonnet-4-6',
  prompt: (note: { readonly text: string }) => note.text,
  schema: z.object({ mood: z.enum(['good', 'bad']) }),
});
const notes = [{ text: 'a good day' }, { text: 'a bad day' }, { text: 'a good night' }];
const { summary, outcomes } = await runBatch(task, notes);
const moods: ('good' | 'bad')[] = [];
for await (const outcome of outcomes) {
  if (outcome.status === 'succeeded') moods.push(outcome.output.mood);
}
if (summary.succeeded !== 3 || moods.length !== 3) throw new Error(JSON.stringify(summary));
`;

/** Runs a program in the empty folder and returns its stdout. This process goes on serving the simulator meanwhile. */
async function run(program, args, env = {}) {
  console.log(`$ ${path.basename(program)} ${args.join(' ')}`);
  const options = { cwd: app, env: { ...process.env, ...env }, maxBuffer: 64 * 1024 * 1024 };
  const { stdout } = await promisify(execFile)(program, args, options).catch((error) => {
    throw new Error(`${error.message}\n${error.stdout}\n${error.stderr}`);
  });
  return stdout;
}

function expect(holds, what) {
  if (!holds) throw new Error(`expected ${what}`);
}

/** Packs the project and installs the tarball, nothing else. */
async function install() {
  mkdirSync(app);
  writeFileSync(path.join(app, 'package.json'), '{ "private": true, "type": "module" }\n');
  await run('npm', ['pack', root, '--silent', '--pack-destination', tmp]);
  const tarball = readdirSync(tmp).find((name) => name.endsWith('.tgz'));
  await run('npm', ['install', '--no-audit', '--no-fund', path.join(tmp, tarball)]);
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  expect((await run('npx', ['tempered', '--version'])).trim() === version, `version ${version}`);
}

/** The command line on a part of the shipped example. */
async function useCommands(env) {
  const tickets = path.join(installed, 'examples', 'tickets');
  const files = [path.join(tickets, 'task.json'), path.join(tickets, 'tickets.jsonl')];
  const stdout = await run('npx', ['tempered', 'run', ...files, '--limit', '5', '--json'], env);
  const summary = JSON.parse(stdout.trim().split('\n').at(-1));
  expect(summary.status === 'finished' && summary.succeeded === 5, `5 answers, got ${JSON.stringify(summary)}`);
  expect(existsSync(path.resolve(app, summary.out)), `results in ${summary.out}`);
}

/** The library, compiled under strict settings. */
async function useLibrary(env) {
  writeFileSync(path.join(app, 'use.ts'), USE);
  const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const settings = ['--strict', '--module', 'nodenext', '--target', 'es2023', '--skipLibCheck'];
  await run(process.execPath, [tsc, ...settings, 'use.ts']);
  await run(process.execPath, ['use.js'], env);
}

try {
  await install();
  const at = (file) => import(pathToFileURL(path.join(installed, 'dist', file)).href);
  const { simulatorEnv, startSimulator } = await at('client/simulator.js');
  const simulator = await startSimulator({});
  try {
    const env = simulatorEnv(simulator.url);
    await useCommands(env);
    await useLibrary(env);
  } finally {
    await run('npx', ['tempered', 'down']);
    await simulator.close();
  }
  console.log('The tarball works.');
} finally {
  rmSync(tmp, { recursive: true, force: true });
}
