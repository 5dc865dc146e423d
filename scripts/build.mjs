// Compiles src/ to dist/, copies what is not TypeScript, drops what has no source any more, bundles the
// workflows and the program.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const src = path.join(root, 'src');
const dist = path.join(root, 'dist');

/** Runs a Node script; its failure, which it has explained itself, ends the build. */
function run(...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

/** Files below `folder`, relative to it. */
function files(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
}

/** Whether something in src/ makes this file of dist/. */
function hasSource(file) {
  const base = file.replace(/(\.d\.ts|\.js)(\.map)?$/, '');
  const bundled = file === 'workflow-bundle.js' || file.startsWith(`bundle${path.sep}`);
  return bundled || existsSync(path.join(src, `${base}.ts`)) || existsSync(path.join(src, file));
}

run(createRequire(import.meta.url).resolve('typescript/bin/tsc'), '-p', 'tsconfig.build.json');
for (const file of files(src).filter((name) => !name.endsWith('.ts'))) {
  cpSync(path.join(src, file), path.join(dist, file));
}
// Instead of emptying dist/ first: a running worker may be reading it.
for (const file of files(dist).filter((name) => !hasSource(name))) rmSync(path.join(dist, file));
run('scripts/compile-meta-schema.mjs');
run('scripts/bundle-workflows.mjs');
run('scripts/bundle-program.mjs');
