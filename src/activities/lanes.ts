/**
 * Runs `work` on what `source` gives, `lanes` at a time, until it gives nothing more or `goOn` says no. An error stops
 * the taking; it is thrown when all lanes have ended. Returns true when the source was emptied.
 */
export async function inLanes<T>(
  source: AsyncIterator<T, unknown> | Iterator<T, unknown>,
  options: { readonly lanes: number; readonly goOn: () => boolean; readonly work: (value: T) => Promise<void> },
): Promise<boolean> {
  const { lanes, goOn, work } = options;
  const errors: unknown[] = [];
  let emptied = false;
  const lane = async (): Promise<void> => {
    try {
      while (errors.length === 0 && goOn()) {
        const next = await source.next();
        if (next.done === true) {
          emptied = true;
          return;
        }
        await work(next.value);
      }
    } catch (error) {
      errors.push(error);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  if (errors.length > 0) throw errors[0];
  return emptied;
}
