import { PromptCache } from '../../src/simulator/promptCache.js';
import type { CacheLife, PromptBlock } from '../../src/simulator/promptCache.js';

/** A block of so many tokens. */
function block(name: string, tokens: number, breakpoint?: CacheLife): PromptBlock {
  const text = name.padEnd(tokens * 4, '.');
  return breakpoint === undefined ? { text } : { text, breakpoint };
}

const MINUTE = 60_000;

describe('breakpoints', () => {
  it('live five minutes or an hour, and reading renews them', () => {
    const cache = new PromptCache();
    const ask = (life: CacheLife, now: number) => cache.breakpoints('a', [block(life, 2000, life)], 1024, now);
    expect(ask('5m', 0)).toEqual({ read: 0, write5m: 2000, write1h: 0 });
    expect(ask('1h', 0)).toEqual({ read: 0, write5m: 0, write1h: 2000 });
    expect(ask('5m', 4 * MINUTE)).toEqual({ read: 2000, write5m: 0, write1h: 0 });
    expect(ask('5m', 8 * MINUTE)).toEqual({ read: 2000, write5m: 0, write1h: 0 });
    expect(ask('5m', 14 * MINUTE)).toEqual({ read: 0, write5m: 2000, write1h: 0 });
    expect(ask('1h', 59 * MINUTE)).toEqual({ read: 2000, write5m: 0, write1h: 0 });
    expect(ask('1h', 121 * MINUTE)).toEqual({ read: 0, write5m: 0, write1h: 2000 });
  });

  it('add what is new to what was read', () => {
    const cache = new PromptCache();
    const tools = block('tools', 1000, '1h');
    const system = block('system', 500, '5m');
    expect(cache.breakpoints('a', [tools, system, block('q', 10)], 512, 0)).toEqual({
      read: 0,
      write5m: 500,
      write1h: 1000,
    });
    const more = [tools, system, block('turn', 300, '5m'), block('q2', 10)];
    expect(cache.breakpoints('a', more, 512, 1)).toEqual({ read: 1500, write5m: 300, write1h: 0 });
    const other = [tools, block('other', 500, '5m')];
    expect(cache.breakpoints('a', other, 512, 2)).toEqual({ read: 1000, write5m: 500, write1h: 0 });
  });

  it('find an earlier entry up to 20 blocks before', () => {
    const cache = new PromptCache();
    const start = block('start', 1000, '5m');
    const turns = (count: number): readonly PromptBlock[] =>
      Array.from({ length: count }, (_, i) => block(`turn ${i}`, 1));
    cache.breakpoints('a', [start], 512, 0);
    const plain = block('start', 1000);
    expect(cache.breakpoints('a', [plain, ...turns(19), block('end', 10, '5m')], 512, 1).read).toBe(1000);
    expect(cache.breakpoints('a', [plain, ...turns(30), block('far', 10, '5m')], 512, 2).read).toBe(0);
  });

  it('of OpenAI live thirty minutes and are found at breakpoints only', () => {
    const cache = new PromptCache();
    const ask = (prompt: readonly PromptBlock[], now: number) => cache.breakpoints('a', prompt, 1024, now);
    const system = block('system', 2000, '30m');
    expect(ask([system, block('one', 400)], 0)).toEqual({ read: 0, write5m: 2000, write1h: 0 });
    expect(ask([system, block('two', 400)], 29 * MINUTE)).toEqual({ read: 2000, write5m: 0, write1h: 0 });
    const later = [block('system', 2000), block('turn', 100, '30m')];
    expect(ask(later, 30 * MINUTE)).toEqual({ read: 0, write5m: 2100, write1h: 0 });
    expect(ask([system], 61 * MINUTE).read).toBe(0);
  });

  it('need the minimum', () => {
    const cache = new PromptCache();
    const none = { read: 0, write5m: 0, write1h: 0 };
    for (const now of [0, 1]) expect(cache.breakpoints('a', [block('s', 1023, '5m')], 1024, now)).toEqual(none);
    expect(cache.breakpoints('a', [block('s', 1024, '5m')], 1024, 2).write5m).toBe(1024);
  });
});

describe('a prefix that is found later', () => {
  it('is written by every prompt until then, and read from when the first writer said', () => {
    const cache = new PromptCache();
    const ask = (now: number) => cache.breakpoints('a', [block('p', 2000, '5m')], 1024, now, now + 500);
    expect([0, 499].map((now) => ask(now).write5m)).toEqual([2000, 2000]);
    expect(ask(500)).toEqual({ read: 2000, write5m: 0, write1h: 0 });
    expect(ask(501).read).toBe(2000);
    const automatic = (now: number) => cache.automatic('b', [block('q', 1024)], 1024, now, now + 500).read;
    expect([0, 400, 499, 500].map(automatic)).toEqual([0, 0, 0, 1024]);
  });
});

describe('the automatic cache', () => {
  it('reads the longest prefix of before in steps of 128, from the minimum on', () => {
    const cache = new PromptCache();
    const ask = (prompt: readonly PromptBlock[], now = 0) => cache.automatic('a', prompt, 1024, now);
    const system = block('system', 1200);
    expect(ask([system, block('one', 400)])).toEqual({ read: 0, write5m: 1536, write1h: 0 });
    expect(ask([system, block('two', 400)])).toEqual({ read: 1152, write5m: 384, write1h: 0 });
    expect(ask([system, block('two', 400)])).toEqual({ read: 1536, write5m: 0, write1h: 0 });
    expect(ask([block('short', 1000)])).toEqual({ read: 0, write5m: 0, write1h: 0 });
    expect(ask([block('short', 1000)])).toEqual({ read: 0, write5m: 0, write1h: 0 });
    expect(ask([system], 9 * MINUTE).read).toBe(1152);
    expect(ask([system], 18 * MINUTE).read).toBe(1152);
    expect(ask([system], 29 * MINUTE).read).toBe(0);
  });

  it('keeps accounts apart', () => {
    const cache = new PromptCache();
    const prompt = [block('system', 2000)];
    cache.automatic('a', prompt, 1024, 0);
    expect(cache.automatic('b', prompt, 1024, 1).read).toBe(0);
  });

  it('keeps what is used when thousands of other prompts pass', () => {
    const cache = new PromptCache();
    const system = block('system', 1200);
    cache.automatic('a', [system, block('0', 2000)], 1024, 0);
    for (let i = 1; i < 4000; i += 1) {
      const { read } = cache.automatic('a', [system, block(String(i), 2000)], 1024, i);
      if (read !== 1152) throw new Error(`${read} tokens read by prompt ${i}`);
    }
  });
});
