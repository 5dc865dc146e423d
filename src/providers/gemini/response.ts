import { z } from 'zod';
import type { Json, JsonObject } from '../../task/json.js';
import { isJsonObject } from '../../task/json.js';
import type { SafetyRating } from '../../task/outcome.js';
import type { Usage } from '../../task/usage.js';
import { ownCallId } from '../turns.js';
import type { Reading, Stop } from '../reading.js';
import { consistentUsage, loose, objectOrNull, tokens, truncated } from '../reading.js';

const ratingsSchema = loose(
  z.array(
    z.object({ category: z.string(), probability: z.string().catch('UNSPECIFIED'), blocked: z.boolean().optional() }),
  ),
);

const usageSchema = z.object({
  promptTokenCount: z.number(),
  toolUsePromptTokenCount: tokens,
  cachedContentTokenCount: tokens,
  candidatesTokenCount: tokens,
  thoughtsTokenCount: tokens,
});

const callSchema = z.object({
  id: loose(z.string()),
  name: z.string(),
  args: loose(z.record(z.string(), z.json())),
});

const candidateSchema = z.object({
  content: loose(
    z.object({
      parts: loose(
        z.array(
          z.looseObject({ text: loose(z.string()), thought: loose(z.boolean()), functionCall: loose(callSchema) }),
        ),
      ),
    }),
  ),
  finishReason: loose(z.string()),
  finishMessage: loose(z.string()),
  safetyRatings: ratingsSchema,
});

const responseSchema = z.object({
  candidates: loose(z.array(candidateSchema)),
  promptFeedback: loose(
    z.object({
      blockReason: loose(z.string()),
      blockReasonMessage: loose(z.string()),
      safetyRatings: ratingsSchema,
    }),
  ),
  modelVersion: loose(z.string()),
  usageMetadata: loose(usageSchema),
});

type Candidate = z.infer<typeof candidateSchema>;
type Feedback = z.infer<typeof responseSchema>['promptFeedback'];

/** Reasons that mean that a filter stopped the answer. `MODEL_ARMOR` comes on the wire but is not in the SDK's list. */
const FILTERS: ReadonlySet<string> = new Set([
  'SAFETY',
  'RECITATION',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'MODEL_ARMOR',
  'JAILBREAK',
  'IMAGE_SAFETY',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
]);

/** The prompt count includes cached tokens; the candidates' count leaves thoughts out. */
function usageOf(usage: z.infer<typeof usageSchema>): Usage {
  return consistentUsage({
    inputTokens: usage.promptTokenCount + usage.toolUsePromptTokenCount,
    cachedInputTokens: usage.cachedContentTokenCount,
    cacheWriteTokens: 0,
    cacheWrite1hTokens: 0,
    outputTokens: usage.candidatesTokenCount + usage.thoughtsTokenCount,
    thinkingTokens: usage.thoughtsTokenCount,
  });
}

function blocked(code: string, what: string, said: string | null): Stop {
  const reason = said === null || said === '' ? '' : `: ${said}`;
  return { category: 'safety', code, message: `A safety filter blocked the ${what} (${code})${reason}` };
}

function stopOf(candidate: Candidate | undefined, feedback: Feedback): Stop | null {
  const block = feedback?.blockReason ?? null;
  // Without candidates any block reason, known or not, is why there are none.
  if (block !== null && candidate === undefined) return blocked(block, 'prompt', feedback?.blockReasonMessage ?? null);
  const reason = candidate?.finishReason ?? null;
  if (reason === null) return null;
  if (FILTERS.has(reason)) return blocked(reason, 'answer', candidate?.finishMessage ?? null);
  // `CONTINUATION`: the answer goes on in another request, which we did not send.
  return reason === 'MAX_TOKENS' || reason === 'CONTINUATION' ? truncated(reason) : null;
}

function ratings(list: z.infer<typeof ratingsSchema>): readonly SafetyRating[] | null {
  return (
    list?.map(({ category, probability, blocked: stopped }) => ({
      category,
      probability,
      ...(stopped === undefined ? {} : { blocked: stopped }),
    })) ?? null
  );
}

/** The first candidate's parts as they came. */
function rawParts(body: JsonObject): Json {
  const [candidate] = Array.isArray(body['candidates']) ? body['candidates'] : [];
  const content = isJsonObject(candidate) ? candidate['content'] : undefined;
  return isJsonObject(content) ? (content['parts'] ?? []) : [];
}

/** Reads a response; null when the body is none. */
export function readGemini(body: JsonObject): Reading | null {
  const parsed = responseSchema.safeParse(body);
  if (!parsed.success) return null;
  const { candidates, promptFeedback, modelVersion, usageMetadata } = parsed.data;
  if (candidates === null && promptFeedback === null && usageMetadata === null) return null;
  const candidate = candidates?.[0];
  const parts = candidate?.content?.parts ?? [];
  return {
    model: modelVersion,
    text: parts.flatMap((part) => (part.thought === true ? [] : [part.text ?? ''])).join(''),
    toolCalls: parts.flatMap(({ functionCall: call }, i) =>
      call === null ? [] : [{ id: call.id ?? ownCallId(i), name: call.name, arguments: call.args ?? {} }],
    ),
    native: rawParts(body),
    finishReason: candidate?.finishReason ?? promptFeedback?.blockReason ?? null,
    safetyRatings: ratings(candidate?.safetyRatings ?? promptFeedback?.safetyRatings ?? null),
    usage: usageMetadata === null ? null : usageOf(usageMetadata),
    rawUsage: objectOrNull(body['usageMetadata']),
    stop: stopOf(candidate, promptFeedback),
    error: null,
  };
}
