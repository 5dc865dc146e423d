// async-batch-llm, the fastest of the libraries we know: the newest from PyPI, in an environment of its own.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { INSTRUCTIONS } from './ours.mjs';

const VENV = fileURLToPath(new URL('../.cache/venv', import.meta.url));
const SCRIPT = fileURLToPath(new URL('peer.py', import.meta.url));
const PYTHON = path.join(VENV, 'bin', 'python');

/** Installs it if it isn't there; `fresh` brings the newest. Returns its version. */
export function preparePeer(fresh = false) {
  const pip = (...args) => execFileSync(PYTHON, ['-m', 'pip', '--disable-pip-version-check', ...args]);
  if (!existsSync(PYTHON)) execFileSync('python3', ['-m', 'venv', VENV]);
  const show = () => pip('show', 'async-batch-llm').toString();
  try {
    if (!fresh) return versionIn(show());
  } catch {
    // Not installed yet.
  }
  pip('install', '-q', '--upgrade', 'async-batch-llm', 'openai', 'pydantic');
  return versionIn(show());
}

const versionIn = (shown) => /^Version: (.*)$/m.exec(shown)?.[1];

/** Starts it. `ended` resolves with what it told; undefined when it was killed. */
export function startPeer(options) {
  const child = spawn(PYTHON, [SCRIPT, JSON.stringify({ instructions: INSTRUCTIONS, ...options })], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr = `${stderr}${text}`.slice(-2000)));
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (code, signal) => {
      if (signal !== null) resolve(undefined);
      else if (code !== 0) reject(new Error(`async-batch-llm ended with ${code}: ${stderr}`));
      else resolve(JSON.parse(stdout.trim().split('\n').at(-1)));
    });
  });
  return { child, ended };
}

/** Runs it to its end. */
export const runPeer = (options) => startPeer(options).ended;
