import { GoogleGenAI } from '@google/genai';
import type { Endpoint } from './adapter.js';
import { createProvider } from './adapter.js';
import { geminiCaches } from './gemini/caches.js';
import { geminiRequest } from './gemini/request.js';
import { readGemini } from './gemini/response.js';
import type { Message } from '../task/spec.js';
import { geminiAssembler } from './gemini/stream.js';
import type { Provider } from './types.js';

/** Models per page of a list; the most the API gives. */
const PAGE = 1000;

/**
 * Gemini models through the Developer API. `apiVersion` undefined = the SDK's default (`v1`); some previews and the
 * `-latest` aliases exist on `v1beta` only.
 */
export function createGemini(endpoint: Endpoint, apiVersion: string | undefined): Provider {
  return createProvider(endpoint, ({ fetch }) => {
    const client = new GoogleGenAI({
      apiKey: endpoint.apiKey ?? 'none',
      // Said outright, so that a variable for another Google platform does not switch the API.
      vertexai: false,
      ...(apiVersion === undefined ? {} : { apiVersion }),
      httpOptions: { baseUrl: endpoint.baseUrl, fetch },
    });
    return {
      kind: 'gemini',
      send: async (request, streamed) => {
        const parameters = geminiRequest(request);
        if (!streamed) return client.models.generateContent(parameters);
        // The body is followed as it comes; here it only has to be read to its end.
        const responses = await client.models.generateContentStream(parameters);
        while ((await responses.next()).done !== true);
        return undefined;
      },
      assembler: geminiAssembler,
      read: readGemini,
      rateLimits: () => null,
      list: async () => {
        const ids: string[] = [];
        for await (const model of await client.models.list({ config: { pageSize: PAGE } })) {
          if (model.name !== undefined) ids.push(model.name.replace(/^models\//, ''));
        }
        return ids;
      },
      count: async (request) => {
        // The Developer API counts turns alone: the system prompt is counted as one of them.
        const { instructions, messages } = request;
        const first: readonly Message[] = instructions === undefined ? [] : [{ role: 'user', content: instructions }];
        const { model, contents } = geminiRequest({ ...request, messages: [...first, ...messages] });
        return (await client.models.countTokens({ model, contents })).totalTokens ?? 0;
      },
      caches: geminiCaches(client),
    };
  });
}
