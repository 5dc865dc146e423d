import { setFlagsFromString } from 'node:v8';

/** Whether a command line only loads or exports records, and asks no model in this process. */
function onlyStreams([name, ...rest]: readonly string[]): boolean {
  return name === 'results' || name === 'add' || (name === 'run' && rest.includes('--detach'));
}

/**
 * Keeps the heap small: V8 would rather let it grow for minutes than collect what records leave behind. Where records
 * are worked on, it may grow by four fifths between two collections: no slower, and as big after ten thousand
 * records as after a million. Where they only stream through, less, and the space for new objects stays as it is: to be
 * called when the command is loaded, since what it is made of lets that grow to 16 MB, and stopped before that it would
 * be emptied four times as often. Figures: `npm run bench:scale`.
 */
export function leanHeap(argv: readonly string[]): void {
  if (!onlyStreams(argv)) {
    setFlagsFromString('--heap-growing-percent=80');
    return;
  }
  setFlagsFromString('--heap-growing-percent=20');
  setFlagsFromString('--semi-space-growth-factor=1');
}
