import { z } from 'zod';
import type { Endpoint } from './adapter.js';
import { createProvider } from './adapter.js';
import { type LimitHeaders, toldLimits } from './headers.js';
import type { Dialect } from './openai/request.js';
import { chatRequest } from './openai/request.js';
import { OpenAiHttp } from './openai/http.js';
import { readChat } from './openai/response.js';
import { chatAssembler } from './openai/stream.js';
import type { LocalModel, Provider } from './types.js';

const LIMITS: LimitHeaders = { rpm: 'x-ratelimit-limit-requests', tpm: 'x-ratelimit-limit-tokens' };

/** `GET /models`: never in pages. Ollama without a model says null, others nothing. */
const listSchema = z.object({ data: z.array(z.object({ id: z.string() })).nullish() });

/** What differs between those who speak this wire. */
export const DIALECTS = {
  /** OpenAI itself. */
  openai: { outputLimit: 'max_completion_tokens', schemas: 'strict', promptCache: true },
  /** LM Studio, Ollama, llama.cpp, vLLM and the like. */
  local: { outputLimit: 'max_tokens', schemas: 'grammar', promptCache: false },
  /** A named endpoint: may pass requests on to OpenAI. */
  router: { outputLimit: 'max_tokens', schemas: 'strict', promptCache: false },
} as const satisfies Record<string, Dialect>;

/** What some of those who speak this wire have beside it. */
export interface Extras {
  /** Headers that say whose account it is. Default none. */
  readonly account?: Readonly<Record<string, string>>;
  /** Asks a server for the models on its machine. Default: it can't be asked. */
  readonly listLocal?: (http: OpenAiHttp) => Promise<readonly LocalModel[]>;
}

/** Anything that speaks OpenAI's chat completions. */
export function createOpenAiCompatible(
  endpoint: Endpoint,
  dialect: Dialect,
  { account = {}, listLocal }: Extras = {},
): Provider {
  return createProvider(endpoint, ({ send }) => {
    const http = new OpenAiHttp(send, endpoint, account);
    return {
      kind: 'openai-compatible',
      send: (request, streamed) => {
        const body = chatRequest(request, dialect);
        // Without the option the stream tells no usage.
        const streaming = { stream: true, stream_options: { include_usage: true } };
        return http.complete(streamed ? { ...body, ...streaming } : body);
      },
      assembler: chatAssembler,
      read: readChat,
      rateLimits: (headers) => toldLimits(headers, LIMITS),
      list: async () => {
        const { data } = listSchema.parse(await http.get(`${http.root}/models`));
        return (data ?? []).map(({ id }) => id);
      },
      local: listLocal === undefined ? undefined : () => listLocal(http),
    };
  });
}
