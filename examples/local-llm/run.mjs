// 24 notes against a real language model that runs here, and which stage of the ladder each record's answer came from.
//
//   npm run example:local-llm
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { printTable, readLines, tempered } from '../support.mjs';
import { serveModel } from './server.mjs';
import { CACHE, setUp } from './setup.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.join(CACHE, 'outcomes.jsonl');

/** A row per prompt number: how it asked, how many records asked it, how many ended there with a valid answer. */
function funnel(outcomes) {
  const longest = Math.max(...outcomes.map(({ prompts }) => prompts.length));
  return Array.from({ length: longest }, (_, position) => {
    const asked = outcomes.filter(({ prompts }) => prompts.length > position);
    const rescued = asked.filter(({ status, prompts }) => status === 'succeeded' && prompts.length === position + 1);
    const { stage, kind, variation } = asked[0].prompts[position];
    const tokens = asked.reduce((sum, { prompts }) => sum + (prompts[position].usage?.outputTokens ?? 0), 0);
    const how = `${kind}, temperature ${variation.temperature ?? 'default'}`;
    return [`prompt ${position + 1}: stage ${stage}, ${how}`, asked.length, rescued.length, tokens];
  });
}

setUp();
const server = await serveModel();
console.error(`${server.model} answers at ${server.url}`);
const args = ['run', path.join(here, 'task.ts'), path.join(here, 'people.jsonl'), '--new', '--concurrency', '1'];
const summary = await tempered([...args, '--out', out], { COMPATIBLE_BASE_URL: server.url });
server.close();

const outcomes = readLines(out);
printTable(['', 'asked', 'valid', 'tokens out'], funnel(outcomes));
const rescued = outcomes.filter(({ status, prompts }) => status === 'succeeded' && prompts.length > 1).length;
const { items, succeeded, partial, failed } = summary;
console.log(
  `\n${succeeded} of ${items} valid, ${rescued} of them rescued by a later stage; ${partial} partial, ${failed} failed`,
);
console.log(`Outcomes: ${path.relative(process.cwd(), out)}`);
process.exit(0);
