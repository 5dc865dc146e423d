import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';

const ROOT = path.join(__dirname, '../..');
const BIN = path.join(ROOT, 'bin/tempered');

/** What a command left behind. */
export interface CliEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. */
export interface RunningCli {
  readonly child: ChildProcess;
  readonly end: Promise<CliEnd>;
  /** Resolves when this was written to stdout or stderr. Rejects when the command ends before. */
  wrote(text: string | RegExp): Promise<void>;
  /** Lines of stdout so far. */
  lines(): readonly string[];
}

/** A folder of its own in which commands run, without the environment's keys and servers. */
export class CliFolder {
  private constructor(
    readonly path: string,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  static async make(env: Readonly<Record<string, string>> = {}): Promise<CliFolder> {
    if (!existsSync(path.join(ROOT, 'dist/bundle/main.js')))
      throw new Error('These tests drive the build: npm run build');
    return new CliFolder(await mkdtemp(path.join(tmpdir(), 'tempered-cli-')), env);
  }

  /** Writes a file into the folder; anything but text and bytes as JSON. */
  async write(name: string, content: unknown): Promise<void> {
    const raw = typeof content === 'string' || content instanceof Uint8Array;
    await writeFile(path.join(this.path, name), raw ? content : JSON.stringify(content));
  }

  /** Starts `tempered …`. */
  start(args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningCli {
    const { PATH = '', HOME = '', TEMPORAL_CLI_PATH } = process.env;
    const own = TEMPORAL_CLI_PATH === undefined ? {} : { TEMPORAL_CLI_PATH };
    const child = spawn(process.execPath, [BIN, ...args], {
      cwd: this.path,
      env: { PATH, HOME, ...own, NO_COLOR: '1', ...this.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return watched(child);
  }

  /** Runs `tempered …` to its end. */
  run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliEnd> {
    return this.start(args, env).end;
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The object on the last line of stdout. */
export function jsonOf({ stdout }: CliEnd): Record<string, unknown> {
  const lines = stdout.trimEnd().split('\n');
  return z.record(z.string(), z.unknown()).parse(JSON.parse(lines[lines.length - 1] ?? ''));
}

function watched(child: ChildProcess): RunningCli {
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  const heard = () => {
    for (const listener of listeners) listener();
  };
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    heard();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    heard();
  });
  const end = new Promise<CliEnd>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  const wrote = (text: string | RegExp) =>
    new Promise<void>((resolve, reject) => {
      const check = () => {
        const all = stdout + stderr;
        if (typeof text === 'string' ? !all.includes(text) : !text.test(all)) return;
        listeners.delete(check);
        resolve();
      };
      listeners.add(check);
      end.then(
        (last) => reject(new Error(`ended with ${last.code} before ${String(text)}:\n${last.stdout}\n${last.stderr}`)),
        reject,
      );
      check();
    });
  return { child, end, wrote, lines: () => stdout.split('\n') };
}
