import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadScenario, parseScenario } from '../../src/simulator/index.js';
import { latencyOf } from '../../src/simulator/latency.js';
import { TemperedError } from '../../src/task/errors.js';

const shipped = path.join(__dirname, '../../examples/scenarios');

async function problem(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (error instanceof TemperedError) return error.explanation;
    throw error;
  }
  throw new Error('nothing was wrong');
}

describe('a scenario', () => {
  it('may be empty: then nothing goes wrong and answers come at once', () => {
    const scenario = parseScenario({});
    expect(scenario).toMatchObject({ seed: 1, latency: { fixedMs: 0 }, retryAfterSeconds: 1, limits: {}, models: [] });
    expect(Object.values(scenario.rates).every((rate) => rate === 0)).toBe(true);
  });

  it.each([
    [{ rates: { wrongField: 0.1 } }, 'rates: unknown key "wrongField" Did you mean wrongFields?'],
    [{ laterStage: 1 }, 'unknown key "laterStage" Did you mean laterStages?'],
    [{ latency: { meanMs: 100, p95: 200 } }, 'latency'],
    [{ latency: { meanMs: 100, p95Ms: 900 } }, 'latency: p95Ms must lie between meanMs and 3.8 times meanMs'],
    [{ rates: { reset: 0.6, hang: 0.6 } }, 'must not exceed 1'],
    [{ rates: { empty: 1.5 } }, 'rates.empty: Too big'],
    [{ limits: { rpm: 0 } }, 'limits.rpm: Too small'],
    [{ models: ['gpt-9'] }, 'models.0: a model is written provider/model'],
    ['text', 'expected object'],
  ])('%j is refused', async (value, words) => {
    expect(await problem(() => parseScenario(value))).toContain(words);
  });

  it('is read from YAML and JSON', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'scenario-'));
    try {
      const file = (name: string, text: string): string => {
        const place = path.join(folder, name);
        writeFileSync(place, text);
        return place;
      };
      expect(await loadScenario(file('a.json', '{"seed": 5}'))).toMatchObject({ seed: 5 });
      expect(await loadScenario(file('a.yaml', 'retryAfterSeconds: null'))).toMatchObject({ retryAfterSeconds: null });
      expect(await problem(() => loadScenario(file('b.yaml', 'seed: 1\nrates: {\n')))).toContain(
        `${folder}/b.yaml, line`,
      );
      expect(await problem(() => loadScenario(file('c.yaml', 'sead: 1')))).toMatch(
        /c\.yaml: .*"sead".*Did you mean seed\?/,
      );
      expect(await problem(() => loadScenario(path.join(folder, 'none.yaml')))).toContain('none.yaml');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each(readdirSync(shipped))('examples/scenarios/%s is valid', async (name) => {
    const { rates } = await loadScenario(path.join(shipped, name));
    expect(rates.wrongFields).toBeGreaterThan(0);
  });

  it('has the mean and the 95th percentile it says', () => {
    const times = Array.from({ length: 20_000 }, (_, key) => latencyOf({ meanMs: 200, p95Ms: 500 }, key * 7919));
    const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
    const below = times.filter((time) => time <= 500).length / times.length;
    expect(mean).toBeGreaterThan(190);
    expect(mean).toBeLessThan(210);
    expect(below).toBeGreaterThan(0.945);
    expect(below).toBeLessThan(0.955);
  });
});
