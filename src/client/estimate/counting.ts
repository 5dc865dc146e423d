import type { Ask } from '../../activities/ask.js';
import { inLanes } from '../../activities/lanes.js';
import { besideTokens, uncountedTokens } from '../../caching/uncounted.js';
import type { PromptSize } from '../../caching/expectedUse.js';
import { MEDIA_TOKENS } from '../../models/mediaTokens.js';
import { parseModelRef } from '../../models/modelRef.js';
import { type Tokenizer, tokenizerFor } from '../../models/tokenizer.js';
import type { PromptRequest, ProviderSet } from '../../providers/types.js';
import { TemperedError } from '../../task/errors.js';
import type { Message } from '../../task/spec.js';

/** Prompts counted by the provider; each is one small request. */
export const COUNTED_BY_PROVIDER = 40;

/** Requests for a count that are open at once. */
const LANES = 8;

/** Time for all counts together; milliseconds. */
const COUNT_MS = 60_000;

/** Tokens a chat format puts around a turn. */
const TURN_TOKENS = 4;

/** Sizes of prompts, and how they were found. */
export interface Counted {
  /** One size for each request, in order. */
  readonly sizes: readonly PromptSize[];
  /** How they were counted, for people. */
  readonly basis: string;
  /** `provider`: counted by the one who bills; `tokenizer`: on this machine. */
  readonly by: 'provider' | 'tokenizer';
  /** Share by which the sizes may be off. */
  readonly uncertainty: number;
  /** Tokens of the first prompt's prefix as a run counts them for its decision; null = it estimates them. */
  readonly decidingPrefix: number | null;
}

/** What counting may use. */
export interface CountOptions {
  /** Endpoints. */
  readonly providers: ProviderSet;
  /** Let the provider count, where it can for nothing: the sampled prompts are sent to it. */
  readonly askProvider: boolean;
  /** Told when the provider could not be asked. */
  readonly onProgress: (line: string) => void;
}

/** Counts the tokens of prompts of one model: by its provider where it can and may, else on this machine. */
export async function countPrompts(asks: readonly Ask[], model: string, options: CountOptions): Promise<Counted> {
  const tokenizer = await tokenizerFor(parseModelRef(model));
  const here: Counted = {
    sizes: asks.map((ask) => sizeHere(ask, tokenizer)),
    basis: `tokenizer: ${tokenizer.basis}`,
    by: 'tokenizer',
    uncertainty: tokenizer.uncertainty,
    decidingPrefix: null,
  };
  if (!options.askProvider) return here;
  try {
    return (await countThere(asks, model, options.providers, tokenizer)) ?? here;
  } catch (error) {
    if (!(error instanceof TemperedError)) throw error;
    options.onProgress(`${model} could not count the tokens, so they are estimated here: ${error.message}`);
    return here;
  }
}

/** Null when the endpoint has no key or no count. */
async function countThere(
  asks: readonly Ask[],
  model: string,
  providers: ProviderSet,
  tokenizer: Tokenizer,
): Promise<Counted | null> {
  const { provider: name } = parseModelRef(model);
  const [first] = asks;
  if (first === undefined || !providers.available.includes(name)) return null;
  const provider = providers.get(name);
  const signal = AbortSignal.timeout(COUNT_MS);
  const beside = (request: PromptRequest) => uncountedTokens(provider.kind, request, tokenizer.count);
  const turns = [...(first.caching?.turns ?? []), { role: 'user', content: '.' } as const];
  const begin = { ...first.request, messages: turns };
  const told = await provider.countTokens(begin, signal);
  if (told === null) return null;
  // All but the full stop that no request goes without.
  const prefix = told - 1 + beside(begin);
  const wholes: number[] = [];
  await inLanes(asks.entries(), {
    lanes: LANES,
    goOn: () => true,
    work: async ([i, { request }]) => {
      const whole = await provider.countTokens(request, signal);
      wholes[i] = whole === null ? prefix : whole + beside(request);
    },
  });
  const sizes = wholes.map((whole) => ({ prefix, whole }));
  // What the provider leaves out a run estimates; the sizes, which are for money, have it by the tokenizer.
  const decidingPrefix = told - 1 + uncountedTokens(provider.kind, begin);
  return { sizes, basis: `counted by ${name}`, by: 'provider', uncertainty: 0, decidingPrefix };
}

/** The prefix ends where the cache's does: after few-shot turns and blocks that are the same for every record. */
function sizeHere({ request, caching }: Ask, tokenizer: Tokenizer): PromptSize {
  const { instructions = '', messages } = request;
  const system = instructions === '' ? 0 : tokenizer.count(instructions) + TURN_TOKENS;
  const begin = system + besideTokens(request, tokenizer.count);
  const sizeOf = (turns: readonly Message[]): number =>
    turns.reduce((sum, turn) => sum + TURN_TOKENS + turnTokens(turn, tokenizer), begin);
  return { prefix: Math.round(sizeOf(caching?.turns ?? [])), whole: Math.round(sizeOf(messages)) };
}

function turnTokens({ content }: Message, { count }: Tokenizer): number {
  if (typeof content === 'string') return count(content);
  return content.reduce((sum, part) => sum + (part.type === 'text' ? count(part.text) : MEDIA_TOKENS), 0);
}
