// What the examples share: calling the command line as a user would, and printing tables.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder. */
export const ROOT = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const BIN = path.join(ROOT, 'bin', 'tempered');

/**
 * Runs `tempered ARGS --json` and returns what it says in its last line. Its text for people goes to stderr as it
 * comes. Exit code 2 (some items failed) is a result too; any other ends the example with the same code.
 */
export async function tempered(args, env = {}) {
  const child = spawn(process.execPath, [BIN, ...args, '--json'], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  if (code !== 0 && code !== 2) process.exit(code ?? 1);
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

/** Starts the simulator; resolves with the variables that lead to it and a function that ends it. */
export async function startSimulator(scenario) {
  const child = spawn(process.execPath, [BIN, 'sim', '--port', '0', '--scenario', scenario, '--json'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ready = await new Promise((resolve, reject) => {
    let text = '';
    child.on('error', reject).on('exit', (code) => reject(new Error(`the simulator ended with code ${code}`)));
    child.stdout.setEncoding('utf8').on('data', (part) => {
      text += part;
      if (text.includes('\n')) resolve(JSON.parse(text));
    });
  });
  return { url: ready.url, env: ready.env, stop: () => child.kill() };
}

/** Lines of a JSONL file. */
export function readLines(file) {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** Prints rows under headings, columns aligned: the first to the left, the others to the right. */
export function printTable(headings, rows) {
  const cells = [headings, ...rows].map((row) => row.map(String));
  const widths = headings.map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  for (const row of cells) {
    console.log(
      row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join('  '),
    );
  }
}
