import fc from 'fast-check';
import { issuesOfSchema } from '../../src/recovery/ajvIssues.js';
import { isFailedPart } from '../../src/recovery/kept.js';
import { merge } from '../../src/recovery/merge.js';
import { split } from '../../src/recovery/parts.js';
import { getAt, type Path, setAt, without } from '../../src/recovery/paths.js';
import { planPartial } from '../../src/recovery/subSchema.js';
import { isJsonObject, type Json, type JsonObject, parseJson } from '../../src/task/json.js';
import { answers } from './schemaArbitrary.js';

/** Every place of a value, the root left out. */
function places(value: Json, base: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return base.length === 0 ? [] : [base];
  const inner: (readonly [string | number, Json])[] = Array.isArray(value)
    ? value.map((element, i) => [i, element] as const)
    : Object.entries(value);
  return [...(base.length === 0 ? [] : [base]), ...inner.flatMap(([key, member]) => places(member, [...base, key]))];
}

/** Arrays in arrays, deeper than the schemas made here go: each of them refuses it in one place. */
const WRONG: Json = [[[[[[[['wrong']]]]]]]];

/** An answer of which some parts are wrong or missing. */
const broken = answers.chain(({ schema, value }) =>
  fc
    .subarray([...places(value)], { maxLength: Math.min(4, places(value).length) })
    .chain((paths) => fc.tuple(fc.constant(paths), fc.array(fc.boolean(), { minLength: 4, maxLength: 4 })))
    .map(([paths, removed]) => ({
      schema,
      value,
      bad: paths.reduce<Json>(
        (at, path, i) =>
          removed[i] === true && typeof path.at(-1) === 'string' ? without(at, path) : replaced(at, path),
        value,
      ),
    })),
);

function replaced(value: Json, path: Path): Json {
  return getAt(value, path) === undefined ? value : setAt(value, path, WRONG);
}

/** The parts of `value` at `paths` as a model would answer them: positions are keys. */
function patchOf(value: Json, paths: readonly Path[]): JsonObject {
  const patch = paths.reduce<Json>((made, path) => {
    const part = getAt(value, path);
    return part === undefined ? made : setAt(made, path.map(String), part);
  }, {});
  return isJsonObject(patch) ? patch : {};
}

/** `value` at `path` with one change that only a schema which asks for exactly `path` notices. */
function kept(value: Json, whole: Json, failed: readonly Path[]): void {
  for (const path of places(whole)) {
    const related = failed.some((part) => {
      const length = Math.min(part.length, path.length);
      return part.slice(0, length).every((key, i) => String(key) === String(path[i]));
    });
    if (!related) expect(getAt(value, path)).toEqual(getAt(whole, path));
  }
}

describe('partial recovery', () => {
  it('keeps every part that has no issue, and only those', () => {
    fc.assert(
      fc.property(broken, ({ schema, bad }) => {
        const issues = issuesOfSchema(schema, bad);
        const parts = split(bad, issues);
        if (parts.kept === null) return;
        kept(
          parts.kept,
          bad,
          parts.issues.map(({ path }) => path),
        );
      }),
      { numRuns: 100 },
    );
  });

  it('asks for exactly what is missing: kept fields and that part are the whole answer', () => {
    let asked = 0;
    fc.assert(
      fc.property(broken, ({ schema, value, bad }) => {
        const parts = split(bad, issuesOfSchema(schema, bad));
        if (parts.kept === null) return;
        const plan = planPartial(schema, parts.kept, parts.issues);
        if (plan === null) return;
        asked += 1;
        const patch = patchOf(value, plan.paths);
        // Records may lack a key that was removed: then there is nothing to give back.
        if (plan.paths.some((path) => getAt(patch, path) === undefined)) return;
        expect(issuesOfSchema(plan.schema, patch)).toEqual([]);
        const merged = merge(parts.kept, patch, plan.paths);
        expect(merged.missing).toEqual([]);
        expect(issuesOfSchema(schema, merged.value)).toEqual([]);
        for (const path of plan.paths) {
          expect(issuesOfSchema(plan.schema, without(patch, path.map(String)))).not.toEqual([]);
          expect(issuesOfSchema(plan.schema, setAt(patch, path.map(String), WRONG))).not.toEqual([]);
        }
        expect(issuesOfSchema(plan.schema, { ...patch, 'not asked for': 1 })).not.toEqual([]);
      }),
      { numRuns: 100 },
    );
    expect(asked).toBeGreaterThan(5);
  });

  it('never loses or changes a kept field, whatever the model answers', () => {
    fc.assert(
      fc.property(broken, fc.jsonValue(), ({ schema, bad }, reply) => {
        const parts = split(bad, issuesOfSchema(schema, bad));
        if (parts.kept === null) return;
        const plan = planPartial(schema, parts.kept, parts.issues);
        if (plan === null) return;
        const patch = parseJson(JSON.stringify(reply));
        const merged = merge(parts.kept, patch, plan.paths);
        kept(merged.value, parts.kept, plan.paths);
      }),
      { numRuns: 100 },
    );
  });

  it('finds the wrong part itself, not what encloses it', () => {
    fc.assert(
      fc.property(answers, fc.nat(), ({ schema, value }, pick) => {
        const leaves = places(value).filter((path) => typeof getAt(value, path) !== 'object');
        const path = leaves[pick % Math.max(leaves.length, 1)];
        // A wrong tag leaves open which branch was meant.
        if (path === undefined || path.includes('kind')) return;
        const issues = issuesOfSchema(schema, setAt(value, path, WRONG)).filter(isFailedPart);
        expect(issues.map((issue) => issue.path.map(String))).toEqual([path.map(String)]);
      }),
      { numRuns: 100 },
    );
  });
});
