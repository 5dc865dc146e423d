import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { access, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const ROOT = path.join(__dirname, '../..');
const OURS = path.join(ROOT, 'test/languages');
const run = promisify(execFile);

/** The fenced blocks of a language in a page of docs/, in order. */
export function snippets(page: string, language: string): readonly string[] {
  const text = readFileSync(path.join(ROOT, 'docs', page), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map((match) => match[1] ?? '');
}

/** Writes every program of docs/other-languages.md into `folder`, under the name its first line tells. */
export async function writePrograms(folder: string): Promise<void> {
  for (const program of ['python', 'go'].flatMap((language) => snippets('other-languages.md', language))) {
    const name = /^(?:#|\/\/) (\S+)/.exec(program)?.[1];
    if (name === undefined) throw new Error(`a program without its name in the first line:\n${program}`);
    await writeFile(path.join(folder, name), program);
  }
}

/** A Python with Temporal's SDK, installed once per machine. Returns its program. */
export async function preparePython(): Promise<string> {
  const requirements = path.join(OURS, 'requirements.txt');
  const version = (await readFile(requirements, 'utf8')).trim().replaceAll('==', '-');
  const cache = process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache');
  const folder = path.join(cache, 'tempered', `python-${version}`);
  const python = path.join(folder, 'bin/python');
  const whole = path.join(folder, 'whole');
  const there = await access(whole).then(
    () => true,
    () => false,
  );
  if (there) return python;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await run('python3', ['-m', 'venv', folder]);
  await run(python, ['-m', 'pip', '--disable-pip-version-check', 'install', '-q', '-r', requirements]);
  await writeFile(whole, '');
  return python;
}

/** Builds main.go of `folder`; returns the program. The versions are those the Temporal program is built from. */
export async function buildGo(folder: string): Promise<string> {
  for (const file of ['go.mod', 'go.sum']) await cp(path.join(OURS, file), path.join(folder, file));
  const program = path.join(folder, 'program');
  await run('go', ['build', '-trimpath', '-o', program, 'main.go'], { cwd: folder });
  return program;
}
