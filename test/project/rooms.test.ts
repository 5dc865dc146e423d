import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { arrows, judge } from '../../scripts/lint/rooms.mjs';
import type { RoomRule } from '../../scripts/lint/rooms.mjs';

const root = path.join(__dirname, '../..');
const src = path.join(root, 'src');
const architecture = path.join(root, 'ARCHITECTURE.md');

/** Every import of a file, `import('…')` included. */
function importsOf(file: string): { source: string; typeOnly: boolean }[] {
  const tree = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const found: { source: string; typeOnly: boolean }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      found.push({
        source: node.moduleSpecifier.text,
        typeOnly: node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword,
      });
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
      found.push({ source: node.moduleSpecifier.text, typeOnly: node.isTypeOnly });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [source] = node.arguments;
      if (source && ts.isStringLiteral(source)) found.push({ source: source.text, typeOnly: false });
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

/** One cell of the table: "nothing", "task, models; types of store" or "everything above". */
function parseArrows(cell: string, above: readonly string[]): RoomRule {
  const names = (text: string): string[] =>
    text
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '' && name !== 'nothing');
  const [code = '', types = ''] = cell
    .replaceAll('`', '')
    .split(';')
    .map((part) => part.trim());
  return {
    code: code === 'everything above' ? [...above] : names(code),
    types: names(types.replace(/^types of/, '')),
  };
}

/** The table under the heading "Rooms", as far as its first two columns go. */
function roomsTable(): Record<string, RoomRule> {
  const section = /^## Rooms\b[^]*?(?=^## |(?![^]))/m.exec(readFileSync(architecture, 'utf8'))?.[0] ?? '';
  const rows = section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2);
  const rules: Record<string, RoomRule> = {};
  for (const row of rows) {
    const [, room = '', mayImport = ''] = row.split('|').map((cell) => cell.trim());
    rules[room.replaceAll('`', '').replace(/\/$/, '')] = parseArrows(mayImport, Object.keys(rules));
  }
  return rules;
}

/** Order does not matter. */
function sorted(rules: Readonly<Record<string, RoomRule>>): Record<string, RoomRule> {
  return Object.fromEntries(
    Object.entries(rules).map(([room, { code, types }]) => [
      room,
      { code: [...code].sort(), types: [...types].sort() },
    ]),
  );
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

/** Circles of imports between files, types left out: those are gone when the program runs. */
function circles(): string[] {
  const targets = new Map(
    files.map((name) => {
      const file = path.join(src, name);
      const local = importsOf(file).filter(({ source, typeOnly }) => source.startsWith('.') && !typeOnly);
      return [file, local.map(({ source }) => path.resolve(path.dirname(file), source.replace(/\.js$/, '.ts')))];
    }),
  );
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, trail: readonly string[]): void => {
    if (trail.includes(file)) {
      found.push([...trail.slice(trail.indexOf(file)), file].map((name) => path.relative(src, name)).join(' -> '));
    }
    if (done.has(file)) return;
    done.add(file);
    for (const target of targets.get(file) ?? []) visit(target, [...trail, file]);
  };
  for (const file of targets.keys()) visit(file, []);
  return found;
}

describe('rooms', () => {
  it('are the tree under src/', () => {
    const present = [...new Set(files.map((name) => name.split(path.sep)[0]))];
    expect(present.sort()).toEqual(Object.keys(arrows.rooms).sort());
  });

  it('import code only from rooms that stand above them', () => {
    const names = Object.keys(arrows.rooms);
    const upward = Object.entries(arrows.rooms).flatMap(([room, { code }], position) =>
      code.filter((target) => !names.slice(0, position).includes(target)).map((target) => `${room} -> ${target}`),
    );
    expect(upward).toEqual([]);
  });

  it('import only what their arrows allow', () => {
    const wrong = files.flatMap((name) => {
      const file = path.join(src, name);
      return importsOf(file).flatMap((found) => {
        const message = judge({ file, src, ...found });
        return message === null ? [] : [`${name}: ${message}`];
      });
    });
    expect(wrong).toEqual([]);
  });

  it('have no files that import each other in a circle', () => {
    expect(circles()).toEqual([]);
  });

  it('stand in ARCHITECTURE.md as they are', () => {
    expect(sorted(roomsTable())).toEqual(sorted(arrows.rooms));
  });
});

describe('the arrows', () => {
  const cases = [
    ['workflows/item.ts', '../store/types.js', true, null],
    [
      'workflows/item.ts',
      '../store/openStore.js',
      false,
      'workflows may not import store. Its types are allowed: use `import type`.',
    ],
    ['workflows/item.ts', 'node:fs', false, "workflows may not use Node's own modules."],
    [
      'providers/gemini.ts',
      '@temporalio/common',
      true,
      'providers may not import @temporalio/common: it belongs to workflows, activities, worker, client.',
    ],
    ['cli/main.ts', '../store/types.js', true, 'cli may not import store.'],
    ['elsewhere/a.ts', './b.js', false, 'src/elsewhere is not in etc/rooms.json.'],
    ['task/json.ts', '../../test/support/x.js', false, '../../test/support/x.js lies outside src/.'],
  ] as const;

  it.each(cases)('judge %s importing %s (type only: %s)', (file, source, typeOnly, verdict) => {
    expect(judge({ file: path.join(src, file), src, source, typeOnly })).toBe(verdict);
  });
});
