import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

/** A name of this process among those that share pools: machine, process number, and something of its own. */
export function workerName(): string {
  return `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
}

/** Whether a worker of this machine runs no more. Of other machines' nothing is known here: false. */
export function isGone(name: string): boolean {
  const [, host, pid] = /^(.+)-(\d+)-[0-9a-f]{8}$/.exec(name) ?? [];
  return host === hostname() && !isProcess(Number(pid));
}

function isProcess(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return !(typeof error === 'object' && error !== null && 'code' in error && error.code === 'ESRCH');
  }
}
