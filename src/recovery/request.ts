import type { JsonObject } from '../task/json.js';
import type { Issue, StageKind } from '../task/outcome.js';
import type { ContentPart, Message, RenderedPrompt, Stage, TaskSpec } from '../task/spec.js';
import { pathText } from './paths.js';
import { type PartialPlan, planPartial } from './subSchema.js';

/** What a stage's request is made of. */
export interface StageInput {
  /** The task. */
  readonly spec: TaskSpec;
  /** The rung. */
  readonly stage: Stage;
  /** The record's prompt. */
  readonly rendered: RenderedPrompt;
  /** Valid fields of the best answer so far. */
  readonly kept: JsonObject | null;
  /** What was wrong with it. */
  readonly issues: readonly Issue[];
  /** Ask in other words: the model has no other variation. */
  readonly reworded: boolean;
}

/** What is sent, before any provider's format. */
export interface StageRequest {
  /** The task's static prefix, the same for every record and stage. */
  readonly instructions: string | undefined;
  /** The record's prompt; what a stage adds stands at the end of its last turn. */
  readonly messages: readonly Message[];
  /** The schema asked for: the task's own, or the failed parts alone. */
  readonly schema: JsonObject | undefined;
  /** `full` also where a partial stage can't help. */
  readonly kind: StageKind;
}

/**
 * A stage's request. A full stage sends the record's prompt as it is; a partial one adds the kept values and the issues
 * in words, and asks only for the failed parts.
 */
export function stageRequest({ spec, stage, rendered, kept, issues, reworded }: StageInput): StageRequest {
  const { instructions, schema } = spec;
  const plan = partialOf(spec, stage, kept, issues);
  const words = reworded ? [REWORDED] : [];
  if (plan === null || kept === null) {
    const messages = appended(rendered.messages, words);
    return { instructions, messages, schema, kind: 'full' };
  }
  const messages = appended(rendered.messages, [partialText(plan, kept, issues), ...words]);
  return { instructions, messages, schema: plan.schema, kind: 'partial' };
}

/** What a partial stage asks for; null where the whole answer is asked for. */
function partialOf(
  spec: Pick<TaskSpec, 'schema'>,
  stage: Pick<Stage, 'kind'>,
  kept: JsonObject | null,
  issues: readonly Issue[],
): PartialPlan | null {
  if (stage.kind === 'full' || spec.schema === undefined || kept === null) return null;
  return planPartial(spec.schema, kept, issues);
}

const REWORDED =
  'Go through the request once more, step by step, and check every part of the answer before you give it.';

function partialText({ paths }: PartialPlan, kept: JsonObject, issues: readonly Issue[]): string {
  const inArrays = paths.some((path) => path.some((key) => typeof key === 'number'));
  return [
    'An earlier answer to this was partly right. These parts of it are right and stay as they are:',
    JSON.stringify(kept),
    'This was wrong:',
    ...issues.map(({ path, message }) => `- ${pathText(path)}: ${message}`),
    `Answer now with a JSON object that holds only these parts, corrected: ${paths.map(pathText).join(', ')}.`,
    ...(inArrays ? ['Elements of a list are given as an object with their positions as keys, the first is "0".'] : []),
  ].join('\n');
}

function appended(messages: readonly Message[], texts: readonly string[]): readonly Message[] {
  const last = messages.at(-1);
  if (texts.length === 0 || last === undefined) return messages;
  const added = texts.join('\n\n');
  return [...messages.slice(0, -1), { role: last.role, content: withText(last.content, added) }];
}

function withText(content: Message['content'], added: string): Message['content'] {
  if (typeof content === 'string') return content === '' ? added : `${content}\n\n${added}`;
  const part: ContentPart = { type: 'text', text: added };
  return [...content, part];
}
