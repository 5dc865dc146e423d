// Compares our price table with one in the form of models.dev, from its address or a file, and prints what differs.
// It changes nothing: a price is taken over by hand, with the day from which it holds and the page that says so, in
// src/models/catalog/. Ends with 2 when something differs.
//
//   npm run prices [-- FILE_OR_URL --at 2026-12-01 --out differences.json]
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { knownModels, modelInfo, namesOf } from '../dist/models/catalog.js';
import { parseModelRef } from '../dist/models/modelRef.js';
import { comparePrices, differencesText } from './prices.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { at: { type: 'string' }, out: { type: 'string' } },
});
const [source = 'https://models.dev/api.json'] = positionals;
const at = values.at === undefined ? new Date() : new Date(values.at);
if (Number.isNaN(at.getTime())) throw new Error(`--at wants a day such as 2026-12-01, not ${values.at}.`);

async function read() {
  if (!/^https?:/.test(source)) return readFile(source, 'utf8');
  const response = await fetch(source, { signal: AbortSignal.timeout(30_000) });
  if (!response.ok) throw new Error(`${source} answered ${response.status}.`);
  return response.text();
}

const known = knownModels().map((model) => {
  const ref = parseModelRef(model);
  return { model, names: namesOf(ref), info: modelInfo(ref, at) };
});
const differences = comparePrices(known, JSON.parse(await read()));
for (const line of differencesText(differences)) console.log(line);
if (values.out !== undefined) await writeFile(values.out, `${JSON.stringify(differences, null, 2)}\n`);
const { changed, onlyOurs, onlyTheirs } = differences;
console.log(
  `\n${known.length} models compared with ${source} as of ${at.toISOString().slice(0, 10)}; ${changed.length} differ.`,
);
process.exitCode = changed.length + onlyOurs.length + onlyTheirs.length > 0 ? 2 : 0;
