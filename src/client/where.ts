import { Environment, EvaluationError } from '@marcbachmann/cel-js';
import { TemperedError } from '../task/errors.js';
import type { Outcome } from '../task/outcome.js';

/** Names an expression may use: those of an outcome line. */
const NAMES = {
  index: 'dyn',
  id: 'string',
  status: 'string',
  output: 'dyn',
  error: 'dyn',
  prompts: 'list',
  usage: 'dyn',
  costUsd: 'dyn',
  input: 'dyn',
} as const;

/** A condition on outcomes. */
export interface Where {
  /** Whether it reads the record itself. */
  readonly usesInput: boolean;
  /** True for an outcome it selects; one that lacks a field the expression reads is not selected. */
  selects(outcome: Outcome): boolean;
}

/**
 * Reads a condition in Google's Common Expression Language: `status == "failed" && error.category == "timeout"`. It
 * can compare and look things up, and nothing else. Throws `input` for one that is wrong, naming the place in it.
 */
export function parseWhere(expression: string): Where {
  const environment = new Environment();
  for (const [name, type] of Object.entries(NAMES)) environment.registerVariable(name, type);
  const checked = environment.check(expression);
  if (!checked.valid) throw wrong(checked.error?.message ?? 'it can not be read');
  if (checked.type !== 'bool' && checked.type !== 'dyn') throw wrong(`it gives ${checked.type}, not true or false`);
  const evaluate = environment.parse(expression);
  return {
    usesInput: /\binput\b/.test(expression),
    selects(outcome) {
      try {
        return evaluate({ ...EMPTY, ...outcome }) === true;
      } catch (error) {
        if (error instanceof EvaluationError && error.code === 'no_such_key') return false;
        const said = error instanceof Error ? error.message : String(error);
        throw wrong(`record ${outcome.index}: ${said}`);
      }
    },
  };
}

/** What a line may lack. */
const EMPTY = { error: {}, input: null };

function wrong(said: string): TemperedError {
  return new TemperedError('input', `The condition can't be used: ${said}`, {
    remedy: `Write it like: status == "failed" && error.category == "timeout". Names: ${Object.keys(NAMES).join(', ')}.`,
  });
}
