import { isJsonObject, type Json, type JsonObject } from './json.js';

const LIMIT = 'say maxOutputTokens of the task instead: budgets go by that';
const COPIES = 'each prompt asks for one answer';
const PRICE = 'its price is not in the price table, so no budget could be kept';
const APART = 'what it adds to the bill is not known before, so no budget could be kept';

/** Why a task's parameter is refused, by its name without underscores in lower case: wires write one name both ways. */
const REFUSED = new Map(
  Object.entries({
    maxtokens: LIMIT,
    maxcompletiontokens: LIMIT,
    maxoutputtokens: LIMIT,
    maxnewtokens: LIMIT,
    npredict: LIMIT,
    n: COPIES,
    bestof: COPIES,
    candidatecount: COPIES,
    models: 'say fallbackModel or stages of the task instead',
    prediction: APART,
    websearchoptions: APART,
    mcpservers: APART,
    plugins: APART,
    cachedcontent: APART,
  }),
);

/** Values that cost no more than the price table says; any other is refused. */
const AT_LIST_PRICE = new Map(
  Object.entries({
    servicetier: ['auto', 'default', 'standard', 'standard_only', 'flex'],
    speed: ['standard'],
    inferencegeo: ['global'],
    modalities: ['text'],
    responsemodalities: ['text'],
  }),
);

/** Whether a tool is a function whose call the answer tells; others the provider runs, and bills apart. */
function isFunction(tool: Json): boolean {
  if (!isJsonObject(tool)) return false;
  const names = Object.keys(tool);
  if (names.includes('functionDeclarations')) return names.length === 1;
  const { type = 'function' } = tool;
  return (type === 'function' || type === 'custom') && (names.includes('name') || names.includes(type));
}

function refusal(name: string, value: Json): string | undefined {
  const plain = name.replaceAll('_', '').toLowerCase();
  if (plain === 'tools') {
    return Array.isArray(value) && value.every(isFunction) ? undefined : `only functions: of other tools, ${APART}`;
  }
  const allowed = AT_LIST_PRICE.get(plain);
  if (allowed === undefined) return REFUSED.get(plain);
  const values = Array.isArray(value) ? value : [value];
  const isListed = values.every((one) => typeof one === 'string' && allowed.includes(one.toLowerCase()));
  return isListed ? undefined : `${JSON.stringify(value)} is not taken: ${PRICE}`;
}

/**
 * A task's parameters that would get round its worst case: they let an answer be longer than `maxOutputTokens`, ask for
 * several, or are billed at another price or apart. Each by its name, with the reason.
 */
export function overbilled(params: JsonObject): readonly { readonly name: string; readonly reason: string }[] {
  return Object.entries(params).flatMap(([name, value]) => {
    const reason = refusal(name, value);
    return reason === undefined ? [] : [{ name, reason }];
  });
}
