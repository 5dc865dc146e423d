/**
 * What comes of a call to the server, if it comes in time; else throws what `late` makes. In place of the connection's
 * own deadlines: these travel with the async context, which costs every promise of a process that has used one a little.
 */
export async function within<T>(limitMs: number, call: Promise<T>, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), limitMs);
  });
  try {
    return await Promise.race([call, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
