// What a benchmark tells: ratios first, then tables; as text, JSON and a picture. Kept in bench/results/, from where
// `node bench/publish.mjs` writes docs/benchmarks.md.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setInterval } from 'node:timers';
import { fileURLToPath } from 'node:url';
import { printTable } from '../../examples/support.mjs';
import { plot } from './plot.mjs';

/** Where results are kept. */
export const RESULTS = fileURLToPath(new URL('../results', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The middle value; of an even number the mean of the two. */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(half)] : (sorted[half - 1] + sorted[half]) / 2;
}

/** Median of a figure over runs. */
export const medianOf = (runs, figure) => median(runs.map(figure));

/** Runs every contender `runs` times, in turn and every second time backwards: `{name: [what `measure` returned]}`. */
export async function alternate(names, runs, measure) {
  const results = Object.fromEntries(names.map((name) => [name, []]));
  for (let run = 0; run < runs; run += 1) {
    for (const name of run % 2 === 0 ? names : [...names].reverse()) {
      console.error(`run ${run + 1} of ${runs}: ${name}`);
      results[name].push(await measure(name, run));
    }
  }
  return results;
}

const loads = [os.loadavg()[0]];
setInterval(() => loads.push(os.loadavg()[0]), 5_000).unref();

/** What the figures were measured on, with the load average from the benchmark's beginning to now. */
function machine() {
  const [cpu] = os.cpus();
  const version = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')).version;
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    cpu: cpu.model.trim(),
    cores: os.availableParallelism(),
    memoryGb: Math.round(os.totalmem() / 2 ** 30),
    os: `${os.type()} ${os.release()}`,
    node: process.version,
    tempered: version,
    commit: commit(),
    loadMedian: Number(median(loads).toFixed(1)),
    loadMax: Number(Math.max(...loads).toFixed(1)),
  };
}

function commit() {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim();
  } catch {
    return null;
  }
}

/** `1.23`, `12.3`, `1,234`. */
export function number(value) {
  if (typeof value !== 'number') return value ?? '-';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: 0 });
}

/** A ratio with the value it should reach (`atLeast`) or stay below (`atMost`). */
export function ratio(label, value, aim = {}) {
  const met = aim.atLeast === undefined ? undefined : value >= aim.atLeast;
  return { label, value, ...aim, met: aim.atMost === undefined ? met : value <= aim.atMost };
}

/** One line of a ratio: its aim and whether it is met. */
export function aimText({ atLeast, atMost, met }) {
  if (met === undefined) return '-';
  const aim = atLeast === undefined ? `at most ${atMost}` : `at least ${atLeast}`;
  return `${aim}: ${met ? 'yes' : 'NO'}`;
}

/**
 * Prints and keeps a benchmark's result: `{name, title, ratios, tables: [{title, headings, rows}], plot, notes, data}`.
 * The last line is JSON.
 */
export function finish(report) {
  const argv = process.argv.slice(2);
  const script = path.basename(process.argv[1], '.mjs');
  const command = `npm run bench:${script}${argv.length === 0 ? '' : ` -- ${argv.join(' ')}`}`;
  const whole = { ...report, command, machine: machine() };
  console.log(`\n${report.title}\n`);
  printTable(
    ['ratio', 'value', 'aim'],
    report.ratios.map((one) => [one.label, number(one.value), aimText(one)]),
  );
  for (const { title, headings, rows } of report.tables) {
    console.log(`\n${title}`);
    printTable(
      headings,
      rows.map((row) => row.map(number)),
    );
  }
  for (const note of report.notes ?? []) console.log(`\n${note}`);
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(path.join(RESULTS, `${report.name}.json`), `${JSON.stringify(whole, null, 2)}\n`);
  if (report.plot !== undefined) writeFileSync(path.join(RESULTS, `${report.name}.svg`), plot(report.plot));
  console.log(`\n${JSON.stringify(whole)}`);
}
