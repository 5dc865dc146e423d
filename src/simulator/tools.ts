import type { JsonObject } from '../task/json.js';
import { isJsonObject } from '../task/json.js';
import { answerFor } from './answer.js';
import { Random, hashOf } from './hash.js';

/** A tool a request offers. */
export interface OfferedTool {
  /** Its name. */
  readonly name: string;
  /** JSON Schema of its arguments. */
  readonly parameters: JsonObject;
}

/** What a request says of tools, in no provider's words. */
export interface ToolOffer {
  /** The tools. */
  readonly tools: readonly OfferedTool[];
  /** `auto`, `none`, `required`, or the name of the one to call. */
  readonly choice: 'auto' | 'none' | 'required' | { readonly name: string };
  /** The last turn brings results of tools: there is something to answer with. */
  readonly answered: boolean;
}

/** A request without tools. */
export const NO_TOOLS: ToolOffer = { tools: [], choice: 'auto', answered: false };

/** A call the model makes. */
export interface MadeCall {
  /** The tool. */
  readonly name: string;
  /** Its arguments. */
  readonly input: JsonObject;
}

/** Whether a text speaks of a tool: by its name, or the words of it. */
function mentions(text: string, { name }: OfferedTool): boolean {
  const said = text.toLowerCase();
  return said.includes(name.toLowerCase()) || said.includes(name.toLowerCase().replaceAll(/[_-]/g, ' '));
}

function chosen({ tools, choice, answered }: ToolOffer, text: string): readonly OfferedTool[] {
  if (choice === 'none') return [];
  if (typeof choice === 'object') return tools.filter(({ name }) => name === choice.name);
  const named = tools.filter((tool) => mentions(text, tool));
  if (choice === 'required') return named.length > 0 ? named : tools.slice(0, 1);
  return answered ? [] : named;
}

/**
 * The calls a model makes: of the tools the user's last turn names, unless their results are there already. Arguments
 * are what the tool's schema finds in the record. Always the same for the same prompt.
 */
export function madeCalls(offer: ToolOffer, text: string, key: number): readonly MadeCall[] {
  return chosen(offer, text).map(({ name, parameters }) => {
    const { value } = answerFor(parameters, { text, random: new Random(hashOf(key, name)) });
    return { name, input: isJsonObject(value) ? value : {} };
  });
}
