import OpenAI from 'openai';
import type { Endpoint } from './adapter.js';
import { createProvider } from './adapter.js';
import { type LimitHeaders, toldLimits } from './headers.js';
import type { Dialect } from './openai/request.js';
import { chatRequest } from './openai/request.js';
import { readChat } from './openai/response.js';
import { chatAssembler } from './openai/stream.js';
import { sdkTimeoutMs } from './transport.js';
import type { LocalModel, Provider } from './types.js';

const LIMITS: LimitHeaders = { rpm: 'x-ratelimit-limit-requests', tpm: 'x-ratelimit-limit-tokens' };

/** What differs between those who speak this wire. */
export const DIALECTS = {
  /** OpenAI itself. */
  openai: { outputLimit: 'max_completion_tokens', schemas: 'strict', promptCache: true },
  /** LM Studio, Ollama, llama.cpp, vLLM and the like. */
  local: { outputLimit: 'max_tokens', schemas: 'grammar', promptCache: false },
  /** A named endpoint: may pass requests on to OpenAI. */
  router: { outputLimit: 'max_tokens', schemas: 'strict', promptCache: false },
} as const satisfies Record<string, Dialect>;

/** Asks a server for the models on its machine. */
export type ListLocal = (client: OpenAI) => Promise<readonly LocalModel[]>;

/** Anything that speaks OpenAI's chat completions. `listLocal` for servers that tell more of their models than OpenAI. */
export function createOpenAiCompatible(endpoint: Endpoint, dialect: Dialect, listLocal?: ListLocal): Provider {
  return createProvider(endpoint, (fetch) => {
    const client = new OpenAI({
      // The SDK insists on a key; servers that need none ignore it.
      apiKey: endpoint.apiKey ?? 'none',
      baseURL: endpoint.baseUrl,
      // The SDK takes these from OPENAI_ORG_ID and OPENAI_PROJECT_ID: they are nobody else's business.
      ...(endpoint.name === 'openai' ? {} : { organization: null, project: null }),
      maxRetries: 0,
      logLevel: 'off',
      fetch,
    });
    return {
      kind: 'openai-compatible',
      send: (request, streamed) => {
        const options = { timeout: sdkTimeoutMs(request.timeoutMs) };
        const body = chatRequest(request, dialect);
        if (!streamed) return client.chat.completions.create(body, options).asResponse();
        // Without the option the stream tells no usage.
        const streaming = { ...body, stream: true, stream_options: { include_usage: true } };
        return client.post('/chat/completions', { body: streaming, ...options });
      },
      assembler: chatAssembler,
      read: readChat,
      rateLimits: (headers) => toldLimits(headers, LIMITS),
      list: async () => {
        const ids: string[] = [];
        for await (const model of client.models.list()) ids.push(model.id);
        return ids;
      },
      local: listLocal === undefined ? undefined : () => listLocal(client),
    };
  });
}
