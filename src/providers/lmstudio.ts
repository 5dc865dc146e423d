import { z } from 'zod';
import type { OpenAiHttp } from './openai/http.js';
import type { LocalModel } from './types.js';

const tokens = z.number().int().positive();

/** `GET /api/v1/models`. */
const currentSchema = z.object({
  models: z.array(
    z.object({
      type: z.string(),
      key: z.string(),
      loaded_instances: z.array(z.object({ config: z.object({ context_length: tokens.optional() }).optional() })),
      max_context_length: tokens.optional(),
    }),
  ),
});

/** `GET /api/v0/models`: LM Studio before 0.4. */
const olderSchema = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      type: z.string().optional(),
      state: z.string(),
      max_context_length: tokens.optional(),
      loaded_context_length: tokens.optional(),
    }),
  ),
});

/**
 * LM Studio's own lists, beside those in OpenAI's words: they tell which models are in memory, and with how much
 * context. Models that only make embeddings are left out. Throws when neither list is there.
 */
export async function lmStudioModels(http: OpenAiHttp): Promise<readonly LocalModel[]> {
  const root = http.root.replace(/\/v1$/, '');
  const list = (version: string): Promise<unknown> => http.get(`${root}/api/${version}/models`);
  // A server that does not know the path answers 404, or 200 with an error in it.
  const current = currentSchema.safeParse(await list('v1'));
  if (current.success) {
    return current.data.models.filter(isLanguage).map(({ key, loaded_instances: [first], max_context_length }) => ({
      id: key,
      loaded: first !== undefined,
      contextTokens: first?.config?.context_length ?? max_context_length ?? null,
    }));
  }
  return olderSchema
    .parse(await list('v0'))
    .data.filter(isLanguage)
    .map((model) => ({
      id: model.id,
      loaded: model.state === 'loaded',
      contextTokens: model.loaded_context_length ?? model.max_context_length ?? null,
    }));
}

function isLanguage({ type }: { readonly type?: string | undefined }): boolean {
  return type !== 'embedding' && type !== 'embeddings';
}
