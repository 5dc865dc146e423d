import { Context } from '@temporalio/activity';

/** Often enough that a lost worker is noticed within the heartbeat timeout of 10 s; cancellation arrives with it. */
const HEARTBEAT_MS = 2_000;

/**
 * Runs `work` while heartbeating by timer. `details` are read at each beat and reach the next attempt. Work that is
 * done before the first beat costs the server none: each is a transaction there.
 */
export async function withHeartbeat<T>(details: () => unknown, work: (context: Context) => Promise<T>): Promise<T> {
  const context = Context.current();
  const beat = () => context.heartbeat(details());
  const timer = setInterval(beat, HEARTBEAT_MS);
  try {
    return await work(context);
  } catch (error) {
    beat();
    throw error;
  } finally {
    clearInterval(timer);
  }
}
