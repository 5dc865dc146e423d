import { setFlagsFromString } from 'node:v8';

/** Whether a command line only loads or exports records, and asks no model in this process. */
function onlyStreams([name, ...rest]: readonly string[]): boolean {
  return name === 'results' || name === 'add' || (name === 'run' && rest.includes('--detach'));
}

/**
 * Keeps the heap small where records only stream through: V8 would rather let it grow than collect what they leave
 * behind (`npm run bench:scale`). Not where records are worked on: it would slow each of them down. To be called when
 * the command is loaded: what it is made of lets the space for new objects grow to 16 MB, and stopped before that it
 * would be emptied four times as often.
 */
export function leanHeap(argv: readonly string[]): void {
  if (!onlyStreams(argv)) return;
  setFlagsFromString('--heap-growing-percent=40');
  setFlagsFromString('--semi-space-growth-factor=1');
}
