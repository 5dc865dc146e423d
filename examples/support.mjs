// What the examples share: calling the command line as a user would, and printing tables.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const BIN = path.join(ROOT, 'bin', 'tempered');

/**
 * Runs `tempered ARGS --json` and returns what it says in its last line. Its text for people goes to stderr as it
 * comes. Exit code 2 (some items failed) is a result too; any other ends the example with the same code. `folder`: where
 * it works; default the project's.
 */
export async function tempered(args, env = {}, folder = ROOT) {
  const child = spawn(process.execPath, [BIN, ...args, '--json'], {
    cwd: folder,
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
