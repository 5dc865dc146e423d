// What a handle costs over asking the provider's adapter itself, and what having a registry costs: time of a cold one,
// memory, and asking for a model's validity. The answer is a constant made in this process, so that nothing else is measured.
//
//   npm run bench:handles [-- --calls N --runs N]
import { parseArgs } from 'node:util';
import { createProviderSet } from '../dist/providers/providerSet.js';
import { optimize } from '../dist/registry/optimize.js';
import { Registry } from '../dist/registry/registry.js';
import { ZERO_USAGE } from '../dist/task/usage.js';
import { alternate, finish, medianOf, ratio } from './support/report.mjs';
import { runScript } from './support/script.mjs';

const { values } = parseArgs({
  options: { calls: { type: 'string', default: '20000' }, runs: { type: 'string', default: '5' } },
});
const calls = Number(values.calls);
const MODEL = 'anthropic/claude-sonnet-4-6';
const INPUT = [
  { role: 'system', content: 'Sort the message by what its writer wants. '.repeat(200) },
  { role: 'user', content: 'The parcel arrived late.' },
];

const REPLY = {
  ok: true,
  ...{ requestedModel: 'claude-sonnet-4-6', model: 'claude-sonnet-4-6', latencyMs: 0, raw: {}, rateLimits: null },
  ...{ text: 'delivery', toolCalls: [], native: [], finishReason: 'end_turn', safetyRatings: null, rawUsage: null },
  usage: { ...ZERO_USAGE, inputTokens: 2200, outputTokens: 3 },
};
const set = createProviderSet({ env: { ANTHROPIC_API_KEY: 'none' } });
const provider = {
  ...set.get('anthropic'),
  send: () => Promise.resolve(REPLY),
  listModels: () => Promise.resolve(['m']),
};
const registry = new Registry({ providers: { ...set, get: () => provider }, env: {}, defaultModel: MODEL });

const plain = registry.getLlm({ enhanced: false });
const enhanced = registry.getLlm({ enhanced: true });
const request = {
  ...{ model: 'claude-sonnet-4-6', instructions: INPUT[0].content, messages: [INPUT[1]], schema: undefined },
  ...{ maxOutputTokens: 1024, temperature: undefined, effort: undefined, cachePrefix: false, params: {} },
  timeoutMs: 120_000,
};
const signal = new AbortController().signal;
await registry.validateModel('anthropic/m');

const CONTENDERS = {
  'adapter alone': () => provider.send(request, signal),
  'plain handle': () => plain.invoke(INPUT),
  'enhanced handle': () => enhanced.invoke(INPUT),
  'optimized handle': (
    (llm) => () =>
      llm.invoke(INPUT)
  )(optimize(enhanced, { cache: { enabled: true } })),
  'getLlm, plain': () => registry.getLlm({ enhanced: false }),
  'getLlm, enhanced': () => registry.getLlm({ enhanced: true }),
  'validateModel, cached': () => registry.validateModel('anthropic/m'),
};

/** Microseconds a call takes, awaited one after the other. */
async function micros(call) {
  for (let i = 0; i < calls / 10; i += 1) await call();
  const begun = performance.now();
  for (let i = 0; i < calls; i += 1) await call();
  return ((performance.now() - begun) * 1000) / calls;
}

const runs = await alternate(Object.keys(CONTENDERS), Number(values.runs), (name) => micros(CONTENDERS[name]));
const cold = (await alternate(['cold registry'], Number(values.runs), () => runScript('coldRegistry.mjs', {})))[
  'cold registry'
];
const of = (name) => medianOf(runs[name], (us) => us);
const over = (name, base) => of(name) - of(base);
const coldOf = (figure) => medianOf(cold, (run) => run[figure]);

finish({
  name: 'handles',
  title: `Handles of models: microseconds over ${calls} calls, and what a cold registry takes`,
  ratios: [
    ratio('enhanced handle over plain, microseconds a call', over('enhanced handle', 'plain handle'), { atMost: 1000 }),
    ratio('plain handle over the adapter, microseconds a call', over('plain handle', 'adapter alone')),
    ratio('optimized handle over enhanced, microseconds a call', over('optimized handle', 'enhanced handle')),
    ratio('cold registry with its first handle, milliseconds', coldOf('readyMs'), { atMost: 100 }),
    ratio('requests a cold registry sends', coldOf('requests'), { atMost: 0 }),
    ratio('cached validation, microseconds', of('validateModel, cached'), { atMost: 100 }),
  ],
  tables: [
    {
      title: `Medians of ${values.runs} alternating runs`,
      headings: ['call', 'microseconds'],
      rows: Object.keys(CONTENDERS).map((name) => [name, of(name)]),
    },
    {
      title: 'A process of its own that opens a registry',
      headings: ['what', 'value'],
      rows: [
        ['loading the library, ms', coldOf('loadMs')],
        ['opening a registry and its first enhanced handle, ms', coldOf('readyMs')],
        ['memory of registry and handle, MB', coldOf('registryMb')],
        ['memory of 10,000 plain handles, MB', coldOf('plainMb')],
        ['memory of 10,000 enhanced handles, MB', coldOf('enhancedMb')],
      ],
    },
  ],
  notes: [
    'An enhanced handle reads the whole prompt to know its share of the context; most of its time is that.',
    'Loading reads the whole library, Temporal and providers included; a program does it once, whatever it uses.',
  ],
  data: { runs, cold },
});
