import type { ProviderKind } from '../models/types.js';
import type { Json, JsonObject } from '../task/json.js';
import type { Message } from '../task/spec.js';

/** A tool the model may ask for. */
export interface ToolSpec {
  /** Its name: letters, digits, `_` and `-`, at most 64 of them. */
  readonly name: string;
  /** What it does and when to use it. */
  readonly description?: string | undefined;
  /** JSON Schema of its arguments, an object. */
  readonly parameters: JsonObject;
}

/** Whether tools are called: as the model likes, never, some tool for sure, or this one. */
export type ToolChoice = 'auto' | 'none' | 'required' | { readonly name: string };

/** A tool the model asks for. */
export interface ToolCall {
  /** The provider's id of the call, to be given back with the result; made from its position where there is none. */
  readonly id: string;
  /** The tool. */
  readonly name: string;
  /** What it is to be called with. Not checked against the tool's schema. */
  readonly arguments: JsonObject;
}

/** What the model said when it asked for tools: goes back to it before their results. */
export interface AssistantTurn {
  /** Always the model's. */
  readonly role: 'assistant';
  /** What it said beside. */
  readonly content: string;
  /** What it asked for. */
  readonly toolCalls: readonly ToolCall[];
  /** The turn in its provider's words: signed thoughts in it have to go back as they came. */
  readonly native?: { readonly kind: ProviderKind; readonly content: Json };
}

/** What a tool gave back. */
export interface ToolResult {
  /** Always a tool's. */
  readonly role: 'tool';
  /** The call it answers. */
  readonly toolCallId: string;
  /** The tool. */
  readonly name: string;
  /** Its result, or what went wrong. */
  readonly content: string;
  /** The tool failed. Default false. */
  readonly isError?: boolean;
}

/** One turn of a conversation with a model. */
export type Turn = Message | AssistantTurn | ToolResult;

/** Beginning of the ids we make where a provider gives none: they mean nothing to it. */
const OWN_ID = 'tempered_call_';

/** An id for the call at a position of an answer. */
export function ownCallId(position: number): string {
  return `${OWN_ID}${position}`;
}

/** Whether an id is one of ours. */
export function isOwnCallId(id: string): boolean {
  return id.startsWith(OWN_ID);
}

/** The turn in the words of a wire, when it came from the same wire. */
export function nativeOf(turn: AssistantTurn, kind: ProviderKind): Json | undefined {
  return turn.native?.kind === kind ? turn.native.content : undefined;
}
