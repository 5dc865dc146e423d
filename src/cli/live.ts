import type { BatchHandle } from '../client/handle.js';
import type { BatchSnapshot } from '../client/snapshot.js';
import { isEnded } from '../client/settled.js';
import { TemperedError } from '../task/errors.js';
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

/** Questions in a row a server may leave unanswered, each for 5 s: one that is started anew is soon back. */
const BORNE = 1;

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
  const server = new ServerLooks(batch, options.unpolled);
  for (;;) {
    if (failure !== undefined) throw failure.error;
    const snapshot = await batch.progress();
    const limiter = limiterText(snapshot, server, options.limiter());
    screen.show({ snapshot, speed: rates.measure(snapshot), limiter });
    const end = endOf(snapshot, io, interrupt);
    if (end !== null) {
      screen.finish();
      if (end === 'ended') await batch.closed();
      return end;
    }
    await server.look();
    await interrupt.sleep(io.people.isTTY ? PANEL_MS : LOOK_MS);
  }
}

function endOf(snapshot: BatchSnapshot, io: Io, interrupt: Interrupt): WatchEnd | null {
  if (isEnded(snapshot.status)) return 'ended';
  if (interrupt.asked) return 'left';
  return snapshot.status === 'paused' && !io.interactive ? 'paused' : null;
}

/** The one thing that holds the batch back, by a name a person knows. */
function limiterText(snapshot: BatchSnapshot, server: ServerLooks, own: string | null): string | null {
  if (isEnded(snapshot.status)) return null;
  if (server.isAway) return 'the Temporal server, which does not answer';
  if (snapshot.paused !== null) return `${pauseName(snapshot)}: ${pauseText(snapshot)}`;
  const [queue] = server.unpolled;
  if (queue !== undefined) return `no worker polling ${queue}`;
  if (own !== null) return own;
  const { inFlight } = snapshot.counters;
  return inFlight > 0 && inFlight >= snapshot.concurrency ? 'concurrency' : null;
}

function pauseName({ paused }: BatchSnapshot): string {
  return paused?.reason === 'budget' ? 'budget' : 'pause';
}

/** What the server says of a batch, asked every few seconds. */
class ServerLooks {
  /** Queues of the batch nobody polls. */
  unpolled: readonly string[] = [];
  private unanswered = 0;
  private at = Date.now();

  constructor(
    private readonly batch: BatchHandle<unknown>,
    private readonly ask: () => Promise<readonly string[]>,
  ) {}

  /** It did not answer when it was asked last. */
  get isAway(): boolean {
    return this.unanswered > 0;
  }

  /** Asks when it is time. Throws `network` for a server that stays away; until then the store tells how far the batch is. */
  async look(): Promise<void> {
    if (Date.now() - this.at < CHECK_MS) return;
    this.at = Date.now();
    try {
      this.unpolled = await this.ask();
      await this.batch.checkAlive();
      this.unanswered = 0;
    } catch (error) {
      if (!(error instanceof TemperedError && error.category === 'network')) throw error;
      this.unanswered += 1;
      if (this.unanswered > BORNE) throw error;
    }
  }
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
