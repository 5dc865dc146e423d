import { TemperedError } from '../task/errors.js';
import type { UserState } from '../task/functions.js';
import type { Json, JsonObject } from '../task/json.js';
import type { RetryStateData } from './types.js';

/** Characters of JSON that a user's keys may have together: they are part of the item's workflow history. */
const MAX_USER_CHARS = 16 * 1024;

/**
 * One item's state while a prompt runs: the ladder's part, which only the ladder changes, and the keys that the task's
 * `execute` and `onError` keep. Nothing is shared: what goes in and out is copied.
 */
export class RetryState implements UserState {
  private user: JsonObject;

  private constructor(
    private readonly data: RetryStateData,
    private readonly debug: (message: string, facts: JsonObject) => void,
  ) {
    this.user = copied(data.user);
  }

  /** The state as it stands in history. `debug` hears of {@link clear}; default: nobody does. */
  static fromJSON(
    data: RetryStateData,
    debug: (message: string, facts: JsonObject) => void = () => undefined,
  ): RetryState {
    return new RetryState(data, debug);
  }

  /** The value of `key`, else `fallback`. The caller says which type it stored. */
  get<T extends Json>(key: string, fallback: T): T {
    const value = Object.hasOwn(this.user, key) ? this.user[key] : undefined;
    return isStored(value, fallback) ? copied(value) : fallback;
  }

  /** Sets `key`. Throws `input` when the value is not JSON, or all keys together are over 16 Ki characters. */
  set(key: string, value: Json): void {
    const text: string | undefined = JSON.stringify(value);
    if (typeof text !== 'string') {
      throw new TemperedError('input', `The value of state key "${key}" is not JSON.`);
    }
    const next = { ...this.user, [key]: copied(value) };
    const size = JSON.stringify(next).length;
    if (size > MAX_USER_CHARS) {
      throw new TemperedError('input', `State key "${key}" makes the state ${size} characters long.`, {
        remedy: `An item's state is part of its history and holds at most ${MAX_USER_CHARS} characters.`,
      });
    }
    this.user = next;
  }

  /** Forgets every key. */
  clear(): void {
    this.debug('retry state cleared', { keys: Object.keys(this.user), prompts: this.data.promptsUsed });
    this.user = {};
  }

  /** The keys of the task's functions. */
  userKeys(): JsonObject {
    return Object.keys(this.user).length === 0 ? {} : copied(this.user);
  }

  /** The whole state, for history and the query `retryState`. */
  toJSON(): RetryStateData {
    return { ...copied(this.data), user: this.userKeys() };
  }
}

/** JSON has no types at run time: a stored value is what the caller says it is. */
function isStored<T extends Json>(value: Json | undefined, _like: T): value is T {
  return value !== undefined;
}

/** A copy that shares nothing, by JSON: the workflow sandbox has no `structuredClone`. */
function copied<T extends object | Json>(value: T): T {
  const parse: (text: string) => T = JSON.parse;
  return parse(JSON.stringify(value));
}
