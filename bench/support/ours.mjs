// Tempered as a user runs it: its command line, in a folder of its own with an embedded server.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { openStore } from '../../dist/store/openStore.js';
import { childrenOf, follow } from './proc.mjs';

const BIN = fileURLToPath(new URL('../../bin/tempered', import.meta.url));

/** What every contender asks for: the same words, and the same checked answer. */
export const INSTRUCTIONS = 'Sort the support ticket. Answer in JSON.';
const SCHEMA = {
  type: 'object',
  properties: { label: { enum: ['bug', 'billing', 'other'] }, urgent: { type: 'boolean' } },
  required: ['label', 'urgent'],
  additionalProperties: false,
};

/** The prompt of record `index`; `#N ` tells the stub which one asks. */
export const promptOf = (index) => `#${index} ${textOf(index)}`;
const textOf = (index) =>
  `The export of report ${index} fails since Monday: the page stays white and nothing is saved.`;

/** Writes `n` records as JSON Lines. */
export async function writeRecords(file, n) {
  const out = createWriteStream(file);
  for (let index = 0; index < n; index += 1) {
    if (!out.write(`{"id":"${index}","text":"${textOf(index)}"}\n`)) await once(out, 'drain');
  }
  await new Promise((resolve) => out.end(resolve));
}

/** A folder with a task, its embedded server, and the stub as its provider. */
export class Ours {
  /** The folder. */
  folder = mkdtempSync(path.join(tmpdir(), 'tempered-bench-'));
  /** Process of the Temporal server; 0 before {@link start}. */
  serverPid = 0;

  constructor(stub, { env = {}, task = {} } = {}) {
    this.env = { ...process.env, COMPATIBLE_BASE_URL: stub.baseUrl, ...env };
    const base = { name: 'bench', model: 'compatible/stub', instructions: INSTRUCTIONS, prompt: '#{{id}} {{text}}' };
    const whole = { ...base, schema: SCHEMA, maxOutputTokens: 100, ...task };
    writeFileSync(path.join(this.folder, 'task.json'), JSON.stringify(whole));
  }

  /** Starts the embedded server. */
  async start() {
    const { address, pid } = (await this.cli(['server'])).result;
    this.address = address;
    this.serverPid = pid;
    return this;
  }

  /** A file of the folder. */
  file(name) {
    return path.join(this.folder, name);
  }

  /** Starts a command. `exited` resolves with its code and last line of output as JSON. */
  spawn(args, { nodeArgs = [], env = {} } = {}) {
    const child = spawn(process.execPath, [...nodeArgs, BIN, ...args, '--json'], {
      cwd: this.folder,
      env: { ...this.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr = `${stderr}${text}`.slice(-4000)));
    const exited = once(child, 'close').then(([code]) => ({ code, result: lastJson(stdout), stderr }));
    return { pid: child.pid, child, exited };
  }

  /** Runs a command to its end: `{result, wallMs, cli, server}`, the last two with CPU time and peak memory. */
  async cli(args, options) {
    const begun = performance.now();
    const { pid, exited } = this.spawn(args, options);
    const stop = follow({ cli: pid, ...(this.serverPid === 0 ? {} : { server: this.serverPid }) });
    const { code, result, stderr } = await exited;
    const usage = stop();
    if (code !== 0 && code !== 2) throw new Error(`tempered ${args.join(' ')} ended with ${code}:\n${stderr}`);
    return { result, wallMs: performance.now() - begun, ...usage };
  }

  /** Execution modes `run` offers, of those that ask a provider prompt by prompt. */
  async modes() {
    const { stdout } = await promisify(execFile)(process.execPath, [BIN, 'run', '--help']);
    return ['item', 'inline'].filter((mode) => stdout.includes(`"${mode}"`));
  }

  /** Runs the whole batch of `data` (default `records.jsonl`) in one command. */
  run(args, options, data = 'records.jsonl') {
    return this.cli(['run', 'task.json', data, '--new', ...args], options);
  }

  /** A worker in so many processes of its own, once they poll. */
  async worker(args = [], options = {}, processes = 1) {
    const worker = this.spawn(
      ['worker', ...args, ...(processes === 1 ? [] : ['--processes', String(processes)])],
      options,
    );
    const ready = processes === 1 ? 'Ctrl-C' : `processes: ${processes} of ${processes} running`;
    await new Promise((resolve, reject) => {
      worker.child.stderr.on('data', (text) => String(text).includes(ready) && resolve());
      worker.exited.then(({ stderr }) => reject(new Error(`The worker ended: ${stderr}`)));
    });
    return worker;
  }

  /**
   * Runs a batch of `data` on `tempered worker --processes N`, started for it and ended after it. Returns what loading
   * took, `seconds` from its first record to its last outcome, and usage of each process by name.
   */
  async runOnWorkers(args, { processes = 1, data = 'records.jsonl', batchId, watched = {} }) {
    const worker = await this.worker([], {}, processes);
    const pids = [worker.pid, ...childrenOf(worker.pid)];
    const names = pids.map((pid, i) => [`worker ${i}`, pid]);
    const stop = follow({ ...Object.fromEntries(names), server: this.serverPid, ...watched });
    const load = await this.run(['--detach', '--batch-id', batchId, ...args], {}, data);
    const row = await this.ended(batchId);
    const usage = stop();
    worker.child.kill('SIGINT');
    await worker.exited;
    const workers = names.map(([name]) => usage[name]);
    const total = {
      cpuMs: workers.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
      peakMb: Math.max(...workers.map(({ peakMb }) => peakMb)),
    };
    return { load, seconds: (row.finishedAt - row.startedAt) / 1000, usage: { ...usage, worker: total } };
  }

  /** Waits for a batch's end without taking CPU worth mentioning; returns its row. */
  async ended(batchId) {
    const store = await openStore(`sqlite:${this.file('.tempered/store.db')}`);
    try {
      for (;;) {
        const row = await store.getBatch(batchId);
        if (row.finishedAt !== null && ['finished', 'cancelled', 'stopped'].includes(row.status)) return row;
        await sleep(250);
      }
    } finally {
      await store.close();
    }
  }

  /** Bytes of the store on disk. */
  storeBytes() {
    const files = ['store.db', 'store.db-wal'].map((name) => this.file(path.join('.tempered', name)));
    return files.reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
  }

  /** Ends the server and removes the folder. */
  async end() {
    await this.cli(['down']);
    this.remove();
  }

  /** Removes the folder of one that works on another's server. */
  remove() {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function lastJson(stdout) {
  const line = stdout.trim().split('\n').at(-1);
  return line === '' ? undefined : JSON.parse(line);
}
