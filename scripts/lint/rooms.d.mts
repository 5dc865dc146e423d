/** One room's arrows. */
export interface RoomRule {
  /** Rooms it may import. */
  readonly code: readonly string[];
  /** Rooms it may `import type` from besides. */
  readonly types: readonly string[];
}

/** `etc/rooms.json`. */
export interface Arrows {
  readonly rooms: Readonly<Record<string, RoomRule>>;
  /** Rooms that may not use Node's own modules. */
  readonly withoutNode: readonly string[];
  /** Packages, or scopes that end in `/`, and the only rooms that may use them. */
  readonly packages: Readonly<Record<string, readonly string[]>>;
}

export declare const arrows: Arrows;

export declare function judge(question: {
  readonly file: string;
  readonly src: string;
  readonly source: string;
  readonly typeOnly: boolean;
}): string | null;
