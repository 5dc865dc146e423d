import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

/** A name of this process among those that share pools: machine, process number, and something of its own. */
export function workerName(): string {
  return `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
}

/** Whether a worker of this machine runs no more. Of other machines' nothing is known here: false. */
export function isGone(name: string): boolean {
  const [, host, pid] = /^(.+)-(\d+)-[0-9a-f]{8}$/.exec(name) ?? [];
  return host !== undefined && hasEnded(host, Number(pid));
}

/** Whether process `pid` of `host` has ended. Of other machines nothing is known here: false. */
export function hasEnded(host: string, pid: number): boolean {
  if (host !== hostname()) return false;
  try {
    return !process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return !(typeof error === 'object' && error !== null && 'code' in error && error.code === 'EPERM');
  }
}
