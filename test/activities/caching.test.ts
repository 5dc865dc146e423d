import { cachingOf, planned } from '../../src/activities/caching.js';
import { OPTIMIZATION_DEFAULTS } from '../../src/task/optimization.js';
import { OPTIONS } from '../store/fixtures.js';

const { fallback } = OPTIMIZATION_DEFAULTS;
const broken = () => {
  throw new Error('no such block');
};

describe('a request that can not be marked', () => {
  test('goes out plain, and the log says why', () => {
    const said: string[] = [];
    expect(planned({ fallback, warn: (line) => said.push(line) }, broken)).toBeUndefined();
    expect(said).toEqual(['Cache optimization failed, falling back to standard API: no such block']);
    planned({ fallback: { ...fallback, logFailures: false }, warn: (line) => said.push(line) }, broken);
    expect(said).toHaveLength(1);
  });

  test('fails where the settings want that', () => {
    const warn = () => undefined;
    const message = /Optimization failed: no such block/;
    expect(() => planned({ fallback: { ...fallback, raiseOnFallback: true }, warn }, broken)).toThrow(message);
    expect(() => planned({ fallback: { ...fallback, enabled: false }, warn }, broken)).toThrow(message);
  });
});

describe('the caching of a batch', () => {
  const options = { ...OPTIONS, concurrency: 1 };

  test('is on where nobody says otherwise, counts its records, and obeys the switch of its worker', () => {
    expect(cachingOf({ options, items: 7 }, {}, undefined)).toMatchObject({ config: { enabled: true }, prompts: 7 });
    expect(cachingOf({ options, items: 7 }, {}, false).config.enabled).toBe(false);
    const optimization = { cache: { enabled: false } };
    expect(cachingOf({ options, items: 7 }, { optimization }, undefined).config.enabled).toBe(false);
    expect(cachingOf({ options, items: 7 }, { optimization }, true).config.enabled).toBe(true);
  });

  test('is what its start recorded, before what the task says', () => {
    const optimization = { ...OPTIMIZATION_DEFAULTS };
    const task = { optimization: { cache: { enabled: true } } };
    expect(cachingOf({ options: { ...options, optimization }, items: 7 }, task, undefined).config.enabled).toBe(false);
  });

  test('takes an open input for one that grows', () => {
    expect(cachingOf({ options: { ...options, open: true }, items: 1 }, {}, undefined).prompts).toBe(1000);
  });

  test('leaves out records that were settled before it began', () => {
    expect(cachingOf({ options, items: 1000 }, {}, undefined, 999).prompts).toBe(1);
    expect(cachingOf({ options: { ...options, open: true }, items: 5000 }, {}, undefined, 3000).prompts).toBe(2000);
  });
});
