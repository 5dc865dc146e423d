import type { BatchHandle } from '../client/handle.js';
import type { BatchSnapshot } from '../client/snapshot.js';
import { isEnded } from '../client/settled.js';
import type { Interrupt } from './interrupt.js';
import type { Io } from './io.js';
import { Rates } from './rates.js';
import { LiveBlock, paintFor } from './terminal.js';
import { panelLines, pauseText, plainLine, type ViewState } from './view.js';

/** Redraws of the panel, at most four a second; milliseconds. */
const PANEL_MS = 250;

/** Between two looks at the store when no panel is drawn; milliseconds. */
const LOOK_MS = 300;

/** Between two plain lines; milliseconds. */
const PLAIN_MS = 5_000;

/** Between two questions to the server whether workers poll and the workflow still exists; milliseconds. */
const CHECK_MS = 5_000;

/** How watching a batch ended. */
export type WatchEnd = 'ended' | 'paused' | 'left';

/** What to watch with. */
export interface WatchOptions {
  /** Ctrl-C. */
  readonly interrupt: Interrupt;
  /** This process's worker; rejects when it fails. Null: other processes work. */
  readonly working: Promise<void> | null;
  /** What this process's worker says holds the batch back; null = nothing. */
  readonly limiter: () => string | null;
  /** Queues of the batch nobody polls; asked every few seconds. */
  readonly unpolled: () => Promise<readonly string[]>;
}

/** Shows a batch until it has ended, was left by Ctrl-C, or, when nobody sits at the terminal, is paused. */
export async function watchBatch(io: Io, batch: BatchHandle<unknown>, options: WatchOptions): Promise<WatchEnd> {
  const screen = new Screen(io);
  const rates = new Rates();
  const { interrupt, working } = options;
  let failure: { readonly error: unknown } | undefined;
  working?.catch((error: unknown) => {
    failure = { error };
  });
  let unpolled: readonly string[] = [];
  let checkedAt = Date.now();
  for (;;) {
    if (failure !== undefined) throw failure.error;
    const snapshot = await batch.progress();
    const limiter = limiterText(snapshot, unpolled, options.limiter());
    screen.show({ snapshot, speed: rates.measure(snapshot), limiter });
    const end = endOf(snapshot, io, interrupt);
    if (end !== null) {
      screen.finish();
      if (end === 'ended') await batch.closed();
      return end;
    }
    if (Date.now() - checkedAt > CHECK_MS) {
      checkedAt = Date.now();
      unpolled = await options.unpolled();
      await batch.checkAlive();
    }
    await interrupt.sleep(io.people.isTTY ? PANEL_MS : LOOK_MS);
  }
}

function endOf(snapshot: BatchSnapshot, io: Io, interrupt: Interrupt): WatchEnd | null {
  if (isEnded(snapshot.status)) return 'ended';
  if (interrupt.asked) return 'left';
  return snapshot.status === 'paused' && !io.interactive ? 'paused' : null;
}

/** The one thing that holds the batch back, by a name a person knows. */
function limiterText(snapshot: BatchSnapshot, unpolled: readonly string[], own: string | null): string | null {
  if (isEnded(snapshot.status)) return null;
  if (snapshot.paused !== null) return `${pauseName(snapshot)}: ${pauseText(snapshot)}`;
  const [queue] = unpolled;
  if (queue !== undefined) return `no worker polling ${queue}`;
  if (own !== null) return own;
  const { inFlight } = snapshot.counters;
  return inFlight > 0 && inFlight >= snapshot.concurrency ? 'concurrency' : null;
}

function pauseName({ paused }: BatchSnapshot): string {
  return paused?.reason === 'budget' ? 'budget' : 'pause';
}

/** A panel on a terminal, plain lines elsewhere. */
class Screen {
  private readonly block: LiveBlock | null;
  private readonly paint;
  private plainAt = 0;
  private last: ViewState | undefined;
  private lastLine = '';

  constructor(private readonly io: Io) {
    this.block = io.people.isTTY ? new LiveBlock(io.people) : null;
    this.paint = paintFor(io.people, process.env);
  }

  show(state: ViewState): void {
    this.last = state;
    if (this.block !== null) {
      this.block.draw(panelLines(state, this.io.width, this.paint));
      return;
    }
    if (Date.now() - this.plainAt < PLAIN_MS) return;
    this.plainAt = Date.now();
    this.line(state);
  }

  finish(): void {
    if (this.block === null && this.last !== undefined) this.line(this.last);
  }

  private line(state: ViewState): void {
    const line = plainLine(state);
    if (line !== this.lastLine) this.io.say(line);
    this.lastLine = line;
  }
}
