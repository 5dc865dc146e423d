import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inRollout } from '../../src/caching/rollout.js';
import { openRegistry } from '../../src/client/openRegistry.js';
import { createProviderSet } from '../../src/providers/providerSet.js';
import { LlmError } from '../../src/registry/ask.js';
import { optimize } from '../../src/registry/optimize.js';
import { Registry, type RegistryParts } from '../../src/registry/registry.js';
import type { Llm, LlmInput, LlmMessage } from '../../src/registry/types.js';
import { type Simulator, simulatorEnv } from '../../src/simulator/index.js';
import { type Recorder, startRecorder } from '../support/recorder.js';
import { containing } from '../support/match.js';
import { matching, RECORD, SCHEMA, simulate, stopAll } from '../simulator/wire.js';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await simulate();
});
afterAll(stopAll);

const MODEL = 'anthropic/claude-sonnet-4-6';
const ON = { cache: { enabled: true } };

/** The registry's mode. */
let enhancedByDefault = true;
let warned: string[] = [];
let noted: string[] = [];
beforeEach(() => {
  warned = [];
  noted = [];
});

function registry(changes: Partial<RegistryParts> = {}): Registry {
  return new Registry({
    providers: createProviderSet({ env: simulatorEnv(simulator.url) }),
    env: {},
    defaultModel: MODEL,
    enhancedByDefault,
    log: { note: (line) => noted.push(line), warn: (line) => warned.push(line) },
    ...changes,
  });
}

let prefixes = 0;

/** A question after instructions of some 2,000 tokens that no other test has sent. */
function asked(...turns: readonly LlmMessage[]): LlmInput {
  prefixes += 1;
  const content = `${prefixes} Sort the message by what its writer wants.`.repeat(200);
  return [{ role: 'system', content }, ...turns, { role: 'user', content: RECORD }];
}

const TOOL = { name: 'find_order', parameters: { type: 'object', properties: { email: { type: 'string' } } } };

/** Every way of asking a handle. */
const WAYS: Readonly<Record<string, (llm: Llm, input: LlmInput) => Promise<unknown>>> = {
  invoke: (llm, input) => llm.invoke(input),
  stream: async (llm, input) => {
    for await (const chunk of llm.stream(input)) if (chunk.type === 'answer') return chunk.answer;
    return null;
  },
  withStructuredOutput: (llm, input) => llm.withStructuredOutput(SCHEMA).invoke(input),
  bindTools: (llm, input) => llm.bindTools([TOOL]).invoke(input),
};

describe.each([true, false])('an optimized handle with enhanced: %s', (enhanced) => {
  describe.each(Object.keys(WAYS))('%s', (way) => {
    it('writes the prefix once and reads it after, and counts both', async () => {
      const plain = registry().getLlm({ enhanced });
      const llm: Llm = optimize(plain, ON);
      expect(llm).toMatchObject({ isOptimized: true, isEnhanced: enhanced, provider: plain.provider });
      expect([plain.isOptimized, llm.baseModel, plain.baseModel]).toEqual([false, plain, plain]);
      const input = asked();
      await WAYS[way]?.(llm, input);
      expect(llm.getCacheStats()).toMatchObject({ totalBlocks: 2, cachedBlocks: 1, cachedTokens: 0 });
      expect(llm.getCacheStats().writtenTokens).toBeGreaterThan(1500);
      expect(llm.getCacheStats().savedUsd).toBeLessThan(0);
      await WAYS[way]?.(llm, input);
      const stats = llm.getCacheStats();
      expect(stats).toMatchObject({ totalBlocks: 4, cachedBlocks: 2, cachedTokens: stats.writtenTokens });
      expect(stats.savedUsd).toBeGreaterThan(0);
      llm.resetCacheStats();
      expect(llm.getCacheStats()).toMatchObject({ totalBlocks: 0, cachedTokens: 0, hitRate: null, savedUsd: 0 });
    });

    it('sends what the plain handle sends when it is not enabled', async () => {
      const llm = optimize(registry().getLlm({ enhanced }), { cache: { minTokensToCache: 512 } });
      expect(llm.isOptimized).toBe(false);
      await WAYS[way]?.(llm, asked());
      expect(simulator.ledger().at(-1)).toMatchObject({ cacheWriteTokens: 0, cachedInputTokens: 0 });
      expect(llm.getCacheStats()).toMatchObject({ totalBlocks: 0, savedUsd: 0 });
    });
  });

  it('hopes for nothing where only the schema is the same, which bears no mark', async () => {
    const llm = optimize(registry().getLlm({ enhanced }), ON);
    const label = { type: 'string', description: 'What the writer wants. '.repeat(400) };
    await llm.withStructuredOutput({ type: 'object', properties: { label } }).invoke('Where is it?');
    expect(llm.getCacheStats()).toMatchObject({ totalBlocks: 1, cachedBlocks: 0, estimatedTokens: 0 });
  });

  it('counts the blocks of its prefix as a batch does: instructions and turns', async () => {
    const llm = optimize(registry().getLlm({ enhanced }), ON);
    const input = asked({ role: 'user', content: 'Where is it?' }, { role: 'assistant', content: 'delivery' });
    await llm.invoke(input);
    await llm.invoke(input);
    expect(llm.getCacheStats()).toMatchObject({ totalBlocks: 8, cachedBlocks: 1 + 3 });
  });

  it('keeps its parameters, and comes back from JSON', () => {
    const made = registry({ environment: { documents: [], services: {}, purposes: {} } });
    const llm = optimize(made.getLlm({ enhanced, temperature: 0.3, service: 'mail', purpose: 'chat' }), ON);
    expect(llm.toJSON()).toMatchObject({ temperature: 0.3, optimization: ON, service: 'mail', purpose: 'chat' });
    const back = registry().fromJSON(JSON.parse(JSON.stringify(llm)));
    expect(back.toJSON()).toEqual(llm.toJSON());
    expect(back.isOptimized).toBe(true);
    const off = optimize(back, { cache: { enabled: false } });
    expect([off.isOptimized, off.toJSON().optimization]).toEqual([false, { cache: { enabled: false } }]);
    expect(llm.bindTools([TOOL]).baseModel.toJSON()).toMatchObject({ temperature: 0.3, tools: [TOOL] });
  });
});

test('the base of an optimized handle has the parameters that were set since', () => {
  const plain = registry().getLlm({ enhanced: true, temperature: 0.1 });
  const llm = optimize(plain, ON);
  expect(llm.baseModel).toBe(plain);
  llm.set({ temperature: 0.5 });
  expect(llm.baseModel).toMatchObject({ parameters: { temperature: 0.5 }, isOptimized: false });
  expect(llm.bindTools([TOOL]).baseModel.toJSON()).toMatchObject({ temperature: 0.5, tools: [TOOL] });
  expect(plain.parameters).toEqual({ temperature: 0.1 });
});

describe.each([true, false])('with handles enhanced by default: %s', (mode) => {
  beforeEach(() => {
    enhancedByDefault = mode;
  });

  it('marks leading turns the call before had too: few-shot examples, or a conversation that grows', async () => {
    const llm = optimize(registry().getLlm({}), ON);
    const example: LlmMessage[] = [
      { role: 'user', content: `Example: ${'parcel late '.repeat(600)}` },
      { role: 'assistant', content: 'delivery' },
    ];
    const input = asked(...example);
    await llm.invoke(input);
    const first = llm.getCacheStats().writtenTokens;
    await llm.invoke(input);
    await llm.invoke(input);
    const { writtenTokens, cachedTokens } = llm.getCacheStats();
    expect(writtenTokens - first).toBeGreaterThan(1000);
    expect(cachedTokens).toBe(2 * first + (writtenTokens - first));
  });

  it('knows a conversation by the turns it answered, and names it alike while it grows', async () => {
    const gateway = await startRecorder(simulator.url, /"model":"([^"]+)"/);
    const providers = createProviderSet({ env: simulatorEnv(gateway.url) });
    const llm = registry({ providers }).getLlm({ model: 'openai/gpt-5.6-luna', optimization: ON });
    const turns: LlmMessage[] = [{ role: 'system', content: 'Sort the message. '.repeat(300) }];
    for (const content of ['One.', 'Two.', 'Three.', 'Four.']) {
      turns.push({ role: 'user', content });
      turns.push((await llm.invoke(turns)).turn);
    }
    await gateway.close();
    const bodies = gateway.seen.map(({ body }) => body);
    const keys = bodies.map((body) => /"prompt_cache_key":"([^"]+)"/.exec(body)?.[1]);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^tempered-/);
    // The end of the instructions, and of the turns the call before had too.
    expect(bodies.map((body) => body.split('"prompt_cache_breakpoint"').length - 1)).toEqual([1, 2, 2, 2]);
    // Blocks: instructions and turns; marked: instructions and 0, 1, 3, 5 turns.
    expect(llm.getCacheStats()).toMatchObject({ totalBlocks: 4 + 1 + 3 + 5 + 7, cachedBlocks: 4 + 0 + 1 + 3 + 5 });
  });

  describe('a configuration', () => {
    const environment = {
      documents: [{ provider: 'anthropic', isDefault: true, configuration: {}, optimization: ON }],
      services: { quiet: { cache: { enabled: false } } },
      purposes: { loud: { cache: { enabled: true } } },
    };

    it.each([
      [{}, true],
      [{ optimization: false as const }, false],
      [{ optimization: { cache: { enabled: false } } }, false],
      [{ service: 'quiet' }, false],
      [{ service: 'quiet', purpose: 'loud' }, true],
      [{ service: 'quiet', purpose: 'loud', optimization: { cache: { enabled: false } } }, false],
    ])('of the environment holds for %j: %s', (options, isOptimized) => {
      expect(registry({ environment }).getLlm(options).isOptimized).toBe(isOptimized);
    });

    it.each([
      [{ LLM_OPTIMIZATION_ENABLED: 'false' }, environment, false],
      [{ LLM_OPTIMIZATION_ENABLED: 'true' }, undefined, true],
      [{}, undefined, false],
    ])('is switched by %j', (env, held, isOptimized) => {
      const made = registry({ env, environment: held });
      expect(made.getLlm().isOptimized).toBe(isOptimized);
      expect(made.getLlm({ optimization: false })).toMatchObject({ isOptimized: false });
      expect(made.fromJSON(made.getLlm({ optimization: false }).toJSON()).isOptimized).toBe(false);
    });

    it.each([
      [{ cache: { enabled: false } }, {}, false],
      [{ cache: { enabled: true } }, { LLM_OPTIMIZATION_ENABLED: 'false' }, true],
      [{ cache: { minTokensToCache: 512 } }, {}, true],
      [false as const, {}, false],
      [undefined, { LLM_OPTIMIZATION_ENABLED: 'false' }, true],
    ])('asked for as %j under %j holds elsewhere, after JSON, as it was asked for', (optimization, env, there) => {
      const made = registry({ env, environment }).getLlm({ optimization });
      expect(made.toJSON().optimization).toEqual(optimization);
      const back = registry({ environment }).fromJSON(JSON.parse(JSON.stringify(made)));
      expect([back.isOptimized, back.toJSON()]).toEqual([there, made.toJSON()]);
      // What was taken back stays so.
      expect(registry({ environment }).fromJSON(back.baseModel.toJSON()).isOptimized).toBe(false);
    });

    it('is read from the folder', async () => {
      const folder = await mkdtemp(path.join(tmpdir(), 'tempered-optimize-'));
      const configuration = { model: 'claude-sonnet-4-6' };
      const document = { provider: 'anthropic', isDefault: true, configuration, optimization: ON };
      const environments = { default: { documents: [document] } };
      await writeFile(path.join(folder, 'tempered.config.json'), JSON.stringify({ environments }));
      const opened = await openRegistry({ env: { ANTHROPIC_API_KEY: 'k' }, folder });
      // Its default document names the model, too.
      expect(opened.getLlm({ enhanced: true })).toMatchObject({ isOptimized: true, model: 'claude-sonnet-4-6' });
      await rm(folder, { recursive: true });
    });

    it('that is faulty is logged, and gives the plain handle', async () => {
      const broken = { cache: { enabled: true, minTokensToCache: 5 } };
      const made = registry();
      const llm = made.getLlm({ optimization: broken });
      expect(warned).toEqual([
        expect.stringMatching(/^Failed to apply optimization: Invalid optimization .*minTokens/),
      ]);
      expect([llm.isOptimized, llm.toJSON().optimization]).toEqual([false, false]);
      expect(optimize(llm, broken)).toBe(llm);
      expect(warned).toHaveLength(1);
      expect(registry({ env: { LLM_OPTIMIZATION_ENABLED: '1' } }).getLlm().isOptimized).toBe(false);
      expect(warned.at(-1)).toMatch(/^Failed to apply optimization: LLM_OPTIMIZATION_ENABLED/);
      expect((await llm.invoke('Hello')).text).not.toBe('');
    });

    it('for a provider that takes no marks is told once', () => {
      const made = registry();
      const local = () => made.getLlm({ model: 'ollama/qwen3', optimization: ON });
      expect([local(), local()].map((llm) => llm.isOptimized)).toEqual([false, false]);
      expect(warned).toEqual(['Cache optimization requested but not supported by provider: ollama']);
      expect(noted).toEqual([]);
      expect(made.getLlm({ model: 'openai/gpt-4.1', optimization: ON }).isOptimized).toBe(true);
      expect(noted).toEqual(['Cache optimization enabled for provider: openai']);
    });
  });

  it('counts handles of one model, service, purpose and setting together, and others apart', async () => {
    const made = registry();
    const [one, two] = [made.getLlm({ optimization: ON }), made.getLlm({ optimization: ON, temperature: 0.1 })];
    const others = [
      made.getLlm({ optimization: ON, purpose: 'chat' }),
      made.getLlm({ optimization: ON, service: 'mail' }),
      made.getLlm({ optimization: { cache: { enabled: true, defaultTtlSeconds: 3600 } } }),
    ];
    await one.invoke(asked());
    expect(two.getCacheStats()).toEqual(one.getCacheStats());
    expect(two.getCacheStats().totalBlocks).toBe(2);
    expect(others.map((llm) => llm.getCacheStats().totalBlocks)).toEqual([0, 0, 0]);
  });

  it.each([
    [{ purpose: 'chat' }, 'anthropic/claude-sonnet-4-6:chat'],
    [{ model: 'openai/gpt-4.1' }, 'openai/gpt-4.1:'],
    [{ service: 'mail', purpose: 'chat' }, 'mail'],
  ])('is rolled out to a share of handles: %j by %s', (place, name) => {
    const rolledOut = (rolloutPercent: number) =>
      registry().getLlm({ ...place, optimization: { cache: { enabled: true, rolloutPercent } } }).isOptimized;
    for (const percent of [0, 10, 25, 50, 75, 90, 100]) expect(rolledOut(percent)).toBe(inRollout(name, percent));
  });

  it('is not rolled out to all handles of a provider at once', () => {
    const optimization = { cache: { enabled: true, rolloutPercent: 50 } };
    const purposes = Array.from({ length: 40 }, (_, i) => `purpose ${i}`);
    const all = purposes.map((purpose) => registry().getLlm({ purpose, optimization }).isOptimized);
    expect(new Set(all).size).toBe(2);
  });

  describe('a provider that refuses marks', () => {
    const REFUSED = 'system.0.cache_control: Extra inputs are not permitted';
    const answer = JSON.stringify({ type: 'error', error: { type: 'invalid_request_error', message: REFUSED } });
    let gateway: Recorder;
    beforeEach(async () => {
      const refusal = (body: string): string | null => (body.includes('"cache_control"') ? answer : null);
      gateway = await startRecorder(simulator.url, /"model":"([^"]+)"/, refusal);
    });
    afterEach(() => gateway.close());

    const handle = (fallback: object): Llm =>
      registry({ providers: createProviderSet({ env: simulatorEnv(gateway.url) }) }).getLlm({
        optimization: { ...ON, fallback },
      });
    const marked = () => gateway.seen.map(({ body }) => body.includes('"cache_control"'));

    it.each(Object.keys(WAYS))('gets the plain prompt, and later ones at once: %s', async (way) => {
      const before = simulator.totals();
      const llm = handle({});
      const input = asked();
      expect(await WAYS[way]?.(llm, input)).toMatchObject({ text: matching(/./) });
      expect(marked()).toEqual([true, false]);
      expect(warned).toEqual([
        'Cache optimization requested but not supported by provider',
        containing(`Cache optimization failed, falling back to standard API: anthropic answered 400: ${REFUSED}`),
      ]);
      await WAYS[way]?.(llm, input);
      expect([marked(), warned.length]).toEqual([[true, false, false], 2]);
      expect(simulator.totals().requests - before.requests).toBe(2);
      expect(llm.getCacheStats()).toMatchObject({ totalBlocks: 4, cachedBlocks: 0, savedUsd: 0 });
    });

    it('is told of once, however many calls are refused together', async () => {
      const llm = handle({});
      const input = asked();
      await Promise.all([1, 2, 3].map(() => llm.invoke(input)));
      expect(warned).toHaveLength(2);
      await handle({ logFailures: false }).invoke(asked());
      expect(warned).toHaveLength(2);
    });

    it.each([{ raiseOnFallback: true }, { enabled: false }])('fails with %j, each time', async (fallback) => {
      const llm = handle(fallback);
      for (const input of [asked(), asked()]) {
        const failed = llm.invoke(input);
        await expect(failed).rejects.toBeInstanceOf(LlmError);
        const message = containing(`Optimization failed: anthropic answered 400: ${REFUSED}`);
        await expect(failed).rejects.toMatchObject({ category: 'invalid_request', message, details: { status: 400 } });
      }
      expect([marked(), warned]).toEqual([[true, true], []]);
    });

    it('is asked anew while what a handle adds itself is to blame', async () => {
      const llm = handle({});
      const params = { cache_control: { type: 'ephemeral' } };
      await expect(llm.invoke(asked(), { params })).rejects.toThrow(REFUSED);
      await llm.invoke(asked());
      expect(marked()).toEqual([true, true, true, false]);
    });
  });

  describe('a prompt that can not be marked', () => {
    /** A handle with a tool that can't be read the first time. */
    function faulty(fallback: object): Llm {
      let looked = false;
      const parameters = {
        get type(): string {
          if (looked) return 'object';
          looked = true;
          throw new Error('no type yet');
        },
        properties: {},
      };
      return registry()
        .getLlm({ enhanced: false, optimization: { ...ON, fallback } })
        .bindTools([{ ...TOOL, parameters }]);
    }

    it('goes out as it is, and the log says why', async () => {
      expect((await faulty({}).invoke(asked())).text).not.toBe('');
      expect(simulator.ledger().at(-1)).toMatchObject({ cacheWriteTokens: 0 });
      expect(warned).toEqual(['Cache optimization failed, falling back to standard API: no type yet']);
      await faulty({ logFailures: false }).invoke(asked());
      expect(warned).toHaveLength(1);
    });

    it.each([{ raiseOnFallback: true }, { enabled: false }])('fails with %j', async (fallback) => {
      const failed = faulty(fallback).invoke(asked());
      await expect(failed).rejects.toMatchObject({
        category: 'invalid_request',
        message: 'Optimization failed: no type yet',
      });
    });
  });
});
