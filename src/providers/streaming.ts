import type { JsonObject } from '../task/json.js';
import { isJsonObject } from '../task/json.js';
import { findError, parseBody } from './errorBody.js';

/** Puts the events of a stream together to the body that the same request would have had without streaming. */
export interface Assembler {
  /** Takes an event; gives the text of the answer it brought. */
  push(event: JsonObject): string;
  /** The body so far; null = the stream ended before the answer was complete. */
  body(): JsonObject | null;
}

/** Reads server-sent events as they arrive. */
class EventReader {
  private rest = '';

  /** The data of every event that is complete now. */
  push(chunk: string): readonly string[] {
    const parts = (this.rest + chunk).split(/\r?\n\r?\n/);
    this.rest = parts.pop() ?? '';
    return parts.flatMap((part) => {
      const lines = part.split(/\r?\n/).filter((line) => line.startsWith('data:'));
      return lines.length === 0 ? [] : [lines.map((line) => line.slice(5).trimStart()).join('\n')];
    });
  }

  /** The data of a last event without an empty line behind it. */
  end(): readonly string[] {
    return this.push('\n\n');
  }
}

/** Follows one streamed answer. */
export class StreamFollower {
  private readonly reader = new EventReader();
  private failure: JsonObject | null = null;
  private heard = false;

  constructor(
    private readonly assembler: Assembler,
    private readonly onText: (text: string) => void,
  ) {}

  /** Takes a piece of the response. */
  push(chunk: string): void {
    for (const data of this.reader.push(chunk)) this.take(data);
  }

  /** The whole body, or an error's that came in the stream; null = it was cut off; undefined = it was no stream. */
  end(): JsonObject | null | undefined {
    for (const data of this.reader.end()) this.take(data);
    return this.heard ? (this.failure ?? this.assembler.body()) : undefined;
  }

  private take(data: string): void {
    const event = parseBody(data);
    // `[DONE]`, and whatever else is no event of the answer.
    if (!isJsonObject(event)) return;
    this.heard = true;
    if (findError(event) !== null) this.failure = event;
    else {
      const text = this.assembler.push(event);
      if (text !== '') this.onText(text);
    }
  }
}
