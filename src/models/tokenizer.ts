import type { ModelRef, ProviderKind } from './types.js';

/** Counts tokens of texts on this machine, as nearly as is known for a model. */
export interface Tokenizer {
  /** Tokens of a text; not rounded, since a factor may be in it. */
  readonly count: (text: string) => number;
  /** How the count is made, for people. */
  readonly basis: string;
  /** Most the count is thought to be off by, as a share: 0.15 = 15 %. */
  readonly uncertainty: number;
}

/** How many tokens a model's own tokenizer makes of what OpenAI's `o200k_base` makes one. */
interface Correction {
  readonly factor: number;
  readonly uncertainty: number;
  readonly basis: string;
}

/** Longer texts are counted up to here, and the rest by its length: a megabyte takes seconds. Characters. */
const COUNTED_CHARS = 100_000;

/** GPT-4o and everything after it. */
const OPENAI: Correction = { factor: 1, uncertainty: 0.02, basis: 'o200k_base, the tokenizer of the model' };

/**
 * Claude before 4.7 made 16 % (English articles) to 30 % (code) more tokens than GPT-4o, as published comparisons of
 * Claude 3.5 Sonnet with GPT-4o found in 2025; 1.2 lies between them.
 */
const CLAUDE: Correction = { factor: 1.2, uncertainty: 0.12, basis: "o200k_base × 1.2 for Claude's tokenizer" };

/** From Claude Opus 4.7 on: about 30 % more than before for the same text, as Anthropic says. */
const NEW_CLAUDE: Correction = {
  factor: 1.2 * 1.3,
  uncertainty: 0.15,
  basis: "o200k_base × 1.56 for Claude's newer tokenizer",
};

/** Google says about 4 characters a token; `o200k_base` makes 4.2 of English Markdown. */
const GEMINI: Correction = { factor: 1.05, uncertainty: 0.15, basis: "o200k_base × 1.05 for Gemini's tokenizer" };

/** Nothing is known: open models have vocabularies of 32,000 to 260,000 tokens. */
const UNKNOWN: Correction = {
  factor: 1,
  uncertainty: 0.25,
  basis: "o200k_base, as the model's tokenizer is not known",
};

/** Ids of the Claude models with the older tokenizer: before 4.7. */
const OLDER_CLAUDE = /^claude-(?:3|(?:opus|sonnet|haiku)-4(?:-[156])?(?:-\d{8})?$)/;

/** OpenAI's models with `o200k_base`. */
const O200K = /^(?:gpt-(?:4o|4\.1|4\.5|[5-9])|o\d|chatgpt)/;

function correctionOf({ provider, model }: ModelRef, kind: ProviderKind | undefined): Correction {
  const name = model.slice(model.lastIndexOf('/') + 1);
  if (provider === 'anthropic' || kind === 'anthropic' || name.startsWith('claude-')) {
    return OLDER_CLAUDE.test(name) ? CLAUDE : NEW_CLAUDE;
  }
  if (provider === 'gemini' || kind === 'gemini' || name.startsWith('gemini-')) return GEMINI;
  return O200K.test(name) ? OPENAI : UNKNOWN;
}

/**
 * The tokenizer for a model: `o200k_base`, with a factor where the model's own is another. `kind` tells the wire of a
 * named endpoint. Loads two megabytes of vocabulary, once.
 */
export async function tokenizerFor(ref: ModelRef, kind?: ProviderKind): Promise<Tokenizer> {
  const { countTokens } = await import('gpt-tokenizer/encoding/o200k_base');
  const { factor, uncertainty, basis } = correctionOf(ref, kind);
  const raw = (text: string): number => {
    if (text.length <= COUNTED_CHARS) return countTokens(text, PLAIN);
    return (countTokens(text.slice(0, COUNTED_CHARS), PLAIN) / COUNTED_CHARS) * text.length;
  };
  return { count: (text) => raw(text) * factor, basis, uncertainty };
}

/** Words such as `<|endoftext|>` in a record are text like any other. */
const PLAIN = { disallowedSpecial: new Set<string>() };
