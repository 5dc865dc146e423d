import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import ts from 'typescript';
import { parse } from 'yaml';
import { z } from 'zod';
import { commandsFor } from '../../src/cli/commands.js';
import { loadNodeConfig } from '../../src/client/nodeConfig.js';
import { parseScenario } from '../../src/simulator/scenario.js';
import { SETTING_NAMES } from '../../src/task/settings.js';
import { TASK_FUNCTION_NAMES } from '../../src/task/spec.js';
import * as messages from '../../src/workflows/messages.js';

// Loads the whole command line, and the compiler.
jest.setTimeout(180_000);

const ROOT = path.join(__dirname, '../..');
const PAGES = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', ...readdirSync(path.join(ROOT, 'docs')).map(inDocs)]
  .filter((page) => page.endsWith('.md'))
  .map((page) => ({ page, text: readFileSync(path.join(ROOT, page), 'utf8') }));

function inDocs(name: string): string {
  return `docs/${name}`;
}

function textOf(page: string): string {
  return readFileSync(path.join(ROOT, page), 'utf8');
}

/** The fenced blocks of a language, over all pages. */
function blocks(language: string): readonly (readonly [string, string])[] {
  const fence = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms');
  return PAGES.flatMap(({ page, text }) => [...text.matchAll(fence)].map((match) => [page, match[1] ?? ''] as const));
}

/** Lines of shell blocks, comments left out. */
const shellLines = blocks('sh').flatMap(([page, block]) =>
  block
    .split('\n')
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter((line) => line !== '')
    .map((line) => [page, line] as const),
);

/** A command line's words; quotes hold one together. */
function words(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

/** The command line, which parses and then does nothing. */
async function program(): Promise<Command> {
  const root = new Command('tempered').configureOutput({ getOutHelpWidth: () => 100 });
  for (const add of await commandsFor([])) add(root, { run: () => Promise.resolve() });
  for (const command of [root, ...root.commands]) command.exitOverride();
  return root;
}

const calls = shellLines.flatMap(([page, line]) => {
  const match = /^(?:bin\/|npx )?tempered (.*)$/.exec(line);
  return match === null ? [] : [[page, match[1] ?? ''] as const];
});

it.each(calls)('%s: tempered %s', async (_page, line) => {
  await expect((await program()).parseAsync(words(line), { from: 'user' })).resolves.toBeDefined();
});

it('runs only npm scripts that there are', () => {
  const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(textOf('package.json')));
  const named = PAGES.flatMap(({ text }) => [...text.matchAll(/npm run ([\w:-]+)/g)].map((match) => match[1] ?? ''));
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});

it('links only to files that there are', () => {
  const broken = PAGES.flatMap(({ page, text }) =>
    [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
      .map((match) => path.join(path.dirname(page), match[1] ?? ''))
      .filter((target) => !existsSync(path.join(ROOT, target))),
  );
  expect(broken).toEqual([]);
});

it.each(blocks('json'))('%s: JSON that parses: %s', (_page, block) => {
  // A member on its own is shown without the object around it.
  const whole = block.startsWith('"') ? `{${block}}` : block;
  expect(() => void JSON.parse(whole)).not.toThrow();
});

it('shows TypeScript that compiles', () => {
  const shown = blocks('ts').map(([, block], i) => [path.join(ROOT, 'test', `shown${i}.ts`), block] as const);
  expect(shown.length).toBeGreaterThan(0);
  const files = new Map(shown);
  const read = ts.readConfigFile(path.join(ROOT, 'tsconfig.json'), (file) => ts.sys.readFile(file));
  const { options } = ts.parseJsonConfigFileContent(read.config, ts.sys, ROOT);
  const all = { ...options, noEmit: true, paths: { tempered: [path.join(ROOT, 'src/index.ts')] } };
  const disk = ts.createCompilerHost(all);
  const host: ts.CompilerHost = {
    ...disk,
    fileExists: (file) => files.has(file) || disk.fileExists(file),
    getSourceFile: (file, version) => {
      const text = files.get(file);
      return text === undefined ? disk.getSourceFile(file, version) : ts.createSourceFile(file, text, version);
    },
  };
  const compiled = ts.createProgram([...files.keys()], all, host);
  const said = [...files.keys()].flatMap((file) => ts.getPreEmitDiagnostics(compiled, compiled.getSourceFile(file)));
  expect(said.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([]);
});

it('names every setting and function of a task', () => {
  const text = textOf('docs/task.md');
  const names = [...SETTING_NAMES.filter((name) => name !== 'optimization'), ...TASK_FUNCTION_NAMES, 'before'];
  expect(names.filter((name) => !text.includes(`| \`${name}`))).toEqual([]);
});

it('names every message that is not between our own workflows', () => {
  const own = ['halted', 'tuned', 'cacheLost', 'setShare', 'yield', 'stop', 'drained'];
  const names = Object.values(messages).map(({ name }) => name);
  const text = textOf('docs/messages.md');
  expect(names.filter((name) => !own.includes(name) && !text.includes(`\`${name}\``))).toEqual([]);
});

it.each(blocks('yaml'))('%s: a scenario or a configuration that is one', async (page, block) => {
  if (page === 'docs/simulator.md') {
    expect(parseScenario(parse(block)).rates).toBeDefined();
    return;
  }
  const folder = await mkdtemp(path.join(tmpdir(), 'tempered-docs-'));
  await writeFile(path.join(folder, 'tempered.config.yaml'), block);
  expect(Object.keys(await loadNodeConfig(folder))).not.toEqual([]);
  await rm(folder, { recursive: true });
});

it("has the command line's own help", async () => {
  const file = path.join(ROOT, 'docs/cli.md');
  const text = readFileSync(file, 'utf8');
  const marker = /^<!-- The rest is .* -->\n/m.exec(text);
  if (marker === null) throw new Error('docs/cli.md has lost its marker');
  const help = (await program()).commands.map(
    (command) => `### ${command.name()}\n\n\`\`\`text\n${command.helpInformation()}\`\`\`\n`,
  );
  const wanted = `${text.slice(0, marker.index + marker[0].length)}\n${help.join('\n')}`;
  if (process.env['UPDATE_DOCS'] !== undefined) writeFileSync(file, wanted);
  expect(textOf('docs/cli.md')).toBe(wanted);
});
