import { isDeepStrictEqual } from 'node:util';
import type { Turn } from '../providers/turns.js';

/** Calls that are remembered: of so many conversations that take turns each is known again. */
const MOST = 16;

/** What the latest calls said: which turns of the next one are no news. */
export class RecentTurns {
  private calls: readonly (readonly Turn[])[] = [];

  /**
   * Leading turns an earlier call had too, the last one never: it is what is asked. Few-shot examples, or a growing
   * conversation. The call is remembered.
   */
  shared(turns: readonly Turn[]): number {
    const known = this.calls.map((call) => ({ call, shared: sharedTurns(call, turns) }));
    // A conversation stands for what it was before it grew.
    const others = known.filter(({ call, shared }) => shared < call.length).map(({ call }) => call);
    this.calls = [...others, turns].slice(-MOST);
    return Math.max(0, ...known.map(({ shared }) => shared));
  }
}

function sharedTurns(before: readonly Turn[], turns: readonly Turn[]): number {
  const asked = turns.slice(0, -1);
  const first = asked.findIndex((turn, i) => !isPlain(turn) || !isDeepStrictEqual(turn, before[i]));
  return first === -1 ? asked.length : first;
}

/** A turn without tools: it is one message on every wire, so its number is the message's. */
function isPlain(turn: Turn): boolean {
  return turn.role !== 'tool' && !('toolCalls' in turn && turn.toolCalls.length > 0);
}
