import type { ProviderKind } from '../models/types.js';
import type { Endpoint } from './adapter.js';
import type { Provider } from './types.js';

/**
 * A provider whose SDK is loaded when it is first asked for something: the three of them take seconds of start-up and
 * 60 MB, and most commands ask nobody.
 */
function lazily({ name }: Endpoint, kind: ProviderKind, load: () => Promise<Provider>): Provider {
  let loading: Promise<Provider> | undefined;
  let loaded: Provider | undefined;
  const use = <T>(ask: (provider: Provider) => Promise<T>): Promise<T> => {
    if (loaded !== undefined) return ask(loaded);
    loading ??= load().then((provider) => (loaded = provider));
    return loading.then(ask);
  };
  return {
    name,
    kind,
    send: (request, signal, onText) => use((provider) => provider.send(request, signal, onText)),
    listModels: (signal) => use((provider) => provider.listModels(signal)),
    localModels: (signal) => use((provider) => provider.localModels(signal)),
    countTokens: (request, signal) => use((provider) => provider.countTokens(request, signal)),
    caches: () => use((provider) => provider.caches()),
  };
}

/** Anthropic's API. */
export function anthropic(endpoint: Endpoint): Provider {
  return lazily(endpoint, 'anthropic', async () => {
    const { createAnthropic } = await import('./anthropic.js');
    return createAnthropic(endpoint);
  });
}

/** Gemini's API. `version` of it; default: the SDK's. */
export function gemini(endpoint: Endpoint, version: string | undefined): Provider {
  return lazily(endpoint, 'gemini', async () => {
    const { createGemini } = await import('./gemini.js');
    return createGemini(endpoint, version);
  });
}

/** OpenAI itself, with headers that say whose account it is; a server nearby that speaks like it; a named endpoint. */
export function openAi(
  endpoint: Endpoint,
  dialect: 'openai' | 'local' | 'router',
  account: Readonly<Record<string, string>> = {},
): Provider {
  return lazily(endpoint, 'openai-compatible', async () => {
    const { createOpenAiCompatible, DIALECTS } = await import('./openaiCompatible.js');
    return createOpenAiCompatible(endpoint, DIALECTS[dialect], { account });
  });
}

/** LM Studio, which tells more of its models than OpenAI's API can. */
export function lmStudio(endpoint: Endpoint): Provider {
  return lazily(endpoint, 'openai-compatible', async () => {
    const [{ createOpenAiCompatible, DIALECTS }, { lmStudioModels }] = await Promise.all([
      import('./openaiCompatible.js'),
      import('./lmstudio.js'),
    ]);
    return createOpenAiCompatible(endpoint, DIALECTS.local, { listLocal: lmStudioModels });
  });
}
