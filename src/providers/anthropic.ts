import Anthropic from '@anthropic-ai/sdk';
import { z } from 'zod';
import type { Endpoint } from './adapter.js';
import { createProvider } from './adapter.js';
import { anthropicRequest } from './anthropic/request.js';
import { readAnthropic } from './anthropic/response.js';
import { anthropicAssembler } from './anthropic/stream.js';
import { type LimitHeaders, toldLimits } from './headers.js';
import { sdkTimeoutMs } from './transport.js';
import type { Provider } from './types.js';

/** Members of a request that the count takes no interest in. */
const NOT_COUNTED: ReadonlySet<string> = new Set(['max_tokens', 'temperature', 'top_p', 'top_k', 'stop_sequences']);

const countSchema = z.object({ input_tokens: z.number() });

const LIMITS: LimitHeaders = {
  rpm: 'anthropic-ratelimit-requests-limit',
  tpm: 'anthropic-ratelimit-tokens-limit',
  inputTpm: 'anthropic-ratelimit-input-tokens-limit',
  outputTpm: 'anthropic-ratelimit-output-tokens-limit',
};

/** Claude models, at Anthropic or behind a gateway that speaks its Messages API. */
export function createAnthropic(endpoint: Endpoint): Provider {
  return createProvider(endpoint, ({ fetch }) => {
    const client = new Anthropic({
      apiKey: endpoint.apiKey ?? 'none',
      baseURL: endpoint.baseUrl,
      maxRetries: 0,
      logLevel: 'off',
      fetch,
    });
    return {
      kind: 'anthropic',
      // Not `messages.create`: it writes a deprecation warning to the terminal for every single prompt.
      send: (request, streamed) => {
        const { body, headers } = anthropicRequest(request);
        const timeout = sdkTimeoutMs(request.timeoutMs);
        return client.post('/v1/messages', {
          body: streamed ? { ...body, stream: true } : body,
          headers,
          timeout,
        });
      },
      assembler: anthropicAssembler,
      read: readAnthropic,
      rateLimits: (headers) => toldLimits(headers, LIMITS),
      list: async () => {
        const ids: string[] = [];
        for await (const model of client.models.list({ limit: 1000 })) ids.push(model.id);
        return ids;
      },
      count: async (request) => {
        const { body, headers } = anthropicRequest(request);
        // What has no bearing on the count is refused by the endpoint.
        const counted = Object.fromEntries(Object.entries(body).filter(([name]) => !NOT_COUNTED.has(name)));
        const answer: unknown = await client.post('/v1/messages/count_tokens', { body: counted, headers });
        return countSchema.parse(answer).input_tokens;
      },
    };
  });
}
