// What processes took, from /proc (Linux).
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { clearInterval, setInterval } from 'node:timers';

/** Milliseconds of one tick of the kernel's accounting: 100 a second on every Linux that Node runs on. */
const TICK_MS = 10;

/** CPU time of a process so far, its ended children included; milliseconds. 0 when there is none. */
export function cpuMs(pid) {
  const fields = read(pid, 'stat')?.split(') ').at(-1).split(' ');
  if (fields === undefined) return 0;
  return [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0) * TICK_MS;
}

/** Most memory a process has had resident since {@link forgetPeak}; MB. */
function peakMb(pid) {
  const line = read(pid, 'status')?.match(/^VmHWM:\s+(\d+) kB/m);
  return line ? Number(line[1]) / 1024 : 0;
}

/** Peaks are counted from now on. */
function forgetPeak(pid) {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // It has ended, or the kernel doesn't offer this: then the peak is that of its whole life.
  }
}

/** Running children of a process. */
export function childrenOf(pid) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((other) => Number(read(other, 'stat')?.split(') ').at(-1).split(' ')[1]) === pid);
}

/** Follows the named processes until `stop`, which tells the CPU time and peak memory of each: `{name: {cpuMs, peakMb}}`. */
export function follow(pids) {
  const begun = Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, cpuMs(pid)]));
  for (const pid of Object.values(pids)) forgetPeak(pid);
  let last = {};
  last = look();
  const timer = setInterval(() => (last = look()), 100);
  function look() {
    return Object.fromEntries(
      Object.entries(pids).map(([name, pid]) => {
        // An ended process has nothing to tell any more: its last figures stay.
        const before = last[name] ?? { cpuMs: 0, peakMb: 0 };
        const used = { cpuMs: cpuMs(pid) - begun[name], peakMb: peakMb(pid) };
        return [name, { cpuMs: Math.max(before.cpuMs, used.cpuMs), peakMb: Math.max(before.peakMb, used.peakMb) }];
      }),
    );
  }
  return () => {
    clearInterval(timer);
    return look();
  };
}

function read(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
