/** Turns calls back into an iteration: `run` is told where to put values and goes on whether they are read or not. */
export async function* channel<T>(run: (put: (value: T) => void) => Promise<void>): AsyncGenerator<T, void, undefined> {
  const waiting: T[] = [];
  let wake: () => void = () => undefined;
  const state: { done: boolean } = { done: false };
  const running = run((value) => {
    waiting.push(value);
    wake();
  }).finally(() => {
    state.done = true;
    wake();
  });
  // Its error is thrown below, when everything before it was read.
  running.catch(() => undefined);
  while (!state.done || waiting.length > 0) {
    const next = waiting.splice(0);
    yield* next;
    if (state.done || waiting.length > 0) continue;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  await running;
}
