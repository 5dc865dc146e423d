// Writes the figures of bench/results/ into docs/benchmarks.md, between its markers, and the pictures beside it. Nothing
// else in that page is touched; a benchmark without a result keeps what is published of it.
//
//   npm run bench:publish
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { sizing } from './support/sizing.mjs';
import { aimText, number, RESULTS } from './support/report.mjs';

const PAGE = fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url));
const PICTURES = fileURLToPath(new URL('../docs/benchmarks', import.meta.url));

const cell = (value) => String(value ?? '').replaceAll('|', '\\|');

function table(headings, rows) {
  const line = (cells) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(headings), `|${headings.map((_, i) => (i === 0 ? '---|' : '--:|')).join('')}`, ...rows.map(line)].join(
    '\n',
  );
}

function machineText({ machine: m, command }) {
  const where = `${m.cores} cores of ${m.cpu}, ${m.memoryGb} GB, ${m.os}, Node ${m.node}`;
  const load = `load average ${m.loadMedian} (highest ${m.loadMax})`;
  const loud = m.loadMedian > m.cores * 1.5 ? ' **Other work had this machine too: read ratios only.**' : '';
  return `\`${command}\`, ${m.date} UTC, Tempered ${m.tempered} at ${m.commit}; ${where}; ${load}.${loud}`;
}

/** A benchmark's part of the page: ratios first. */
function section(report) {
  const picture = report.plot === undefined ? [] : [`![${report.title}](benchmarks/${report.name}.svg)`];
  return [
    machineText(report),
    table(
      ['ratio', 'value', 'aim'],
      report.ratios.map((one) => [one.label, number(one.value), aimText(one)]),
    ),
    ...report.tables.flatMap(({ title, headings, rows }) => [
      `${title}:`,
      table(
        headings,
        rows.map((row) => row.map((value) => number(value))),
      ),
    ]),
    ...(report.notes ?? []),
    ...picture,
  ].join('\n\n');
}

/** Puts `text` between the markers of `name`. Throws when the page has none. */
function put(page, name, text) {
  const parts = new RegExp(`(<!-- figures: ${name} -->)[^]*?(<!-- /figures -->)`);
  if (!parts.test(page)) throw new Error(`${PAGE} has no markers for ${name}.`);
  return page.replace(parts, (_, begin, end) => `${begin}\n\n${text}\n\n${end}`);
}

const read = (name) => {
  const file = path.join(RESULTS, `${name}.json`);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
};

mkdirSync(PICTURES, { recursive: true });
let page = readFileSync(PAGE, 'utf8');
const PUBLISHED = [
  ...['peers', 'long-node20', 'long-node24', 'overhead', 'scale', 'recovery', 'crash', 'budget', 'cooldown', 'caching'],
  ...['limits', 'estimate', 'handles'],
];
for (const name of PUBLISHED) {
  const report = read(name);
  if (report === undefined) continue;
  page = put(page, name, section(report));
  if (report.plot !== undefined) {
    copyFileSync(path.join(RESULTS, `${name}.svg`), path.join(PICTURES, `${name}.svg`));
  }
  console.log(`${name}: ${report.machine.date}`);
}
const scale = read('scale');
const overhead = read('overhead');
if (scale !== undefined && overhead !== undefined) page = put(page, 'sizing', sizing(scale, overhead));
writeFileSync(PAGE, await format(page, { ...(await resolveConfig(PAGE)), parser: 'markdown' }));
