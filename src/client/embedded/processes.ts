import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { errorCode } from '../data/fileErrors.js';

/** How often a process that should end is looked at; milliseconds. */
const POLL_MS = 50;

/** A process that can't be mistaken for a later one with the same number. */
export const processSchema = z.object({ pid: z.int().positive(), startedAt: z.string() });

/** A process by its number and the system's own word for when it started. */
export type ProcessId = z.infer<typeof processSchema>;

/** The process that has this number now; undefined when there is none. */
export function identify(pid: number): ProcessId | undefined {
  const startedAt = process.platform === 'linux' ? linuxStart(pid) : psStart(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
}

/** Whether it still runs: its number alone could be somebody else's by now. */
export function isRunning(id: ProcessId): boolean {
  return identify(id.pid)?.startedAt === id.startedAt;
}

/** Ends a process: asks first, forces it after `graceMs`. Returns when it is gone. */
export async function endProcess(id: ProcessId, graceMs: number): Promise<void> {
  signal(id, 'SIGTERM');
  const deadline = Date.now() + graceMs;
  while (isRunning(id)) {
    if (Date.now() > deadline) signal(id, 'SIGKILL');
    await sleep(POLL_MS);
  }
}

function signal(id: ProcessId, name: NodeJS.Signals): void {
  if (!isRunning(id)) return;
  try {
    process.kill(id.pid, name);
  } catch (error) {
    // It ended in the meantime.
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}

/** Field 22 of /proc/PID/stat: ticks since boot. A dead process whose parent does not look is a zombie (Z), not alive. */
function linuxStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' || state === 'X' ? undefined : rest[18];
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}

function psStart(pid: number): string | undefined {
  try {
    const out = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    const [state = '', ...start] = out.split(/\s+/);
    return state.startsWith('Z') || start.length === 0 ? undefined : start.join(' ');
  } catch {
    // ps ends with 1 when there is no such process.
    return undefined;
  }
}
