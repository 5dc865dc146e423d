// Bundles what programs start with into dist/bundle: reading 500 files is most of what a short command does.
// One set of chunks for all, so that a task file's `tempered` is the one the command line runs on.
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const outdir = path.join(dist, 'bundle');
const { dependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

/** Packages of many small files. All others are imported as they are: an application may share them with us. */
const BUNDLED = ['kysely'];

const { metafile } = await build({
  entryPoints: ['index', 'cli/main', 'client/embedded/keeper', 'client/embedded/download'].map((module) => ({
    in: path.join(dist, `${module}.js`),
    out: path.basename(module),
  })),
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.20',
  external: ['tempered', ...Object.keys(dependencies)].filter((name) => !BUNDLED.includes(name)),
  sourcemap: true,
  sourcesContent: false,
  metafile: true,
  logLevel: 'warning',
});

const made = new Set(Object.keys(metafile.outputs).map((file) => path.basename(file)));
for (const file of readdirSync(outdir)) if (!made.has(file)) rmSync(path.join(outdir, file));
