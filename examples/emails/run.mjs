// 6,046 real e-mails through the simulator, with a fifth of the answers broken, rate limits and connection resets.
// Ends with our numbers beside the simulator's own ledger: they must be equal to the last token and nano-dollar.
//
//   npm run example:emails [-- --limit N --concurrency N]
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadScenario, simulatorEnv, startSimulator } from '../../dist/client/simulator.js';
import { printTable, tempered } from '../support.mjs';
import { EMAILS, prepareEmails } from './prepare.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.join(here, '.cache', 'outcomes.jsonl');

/** Prints what we counted beside what the simulator billed; returns whether all of it is equal. */
function compare(summary, ledger) {
  const { usage } = summary;
  const rows = [
    ['prompts billed', summary.prompts - usage.unknownPrompts, ledger.requests],
    ['input tokens', usage.inputTokens, ledger.inputTokens],
    ['  read from cache', usage.cachedInputTokens, ledger.cachedInputTokens],
    ['  written to cache', usage.cacheWriteTokens, ledger.cacheWriteTokens],
    ['output tokens', usage.outputTokens, ledger.outputTokens],
    ['cost, nano-dollars', Math.round(summary.costUsd * 1e9), ledger.costNanoUsd],
  ].map(([name, ours, theirs]) => [name, ours, theirs, ours === theirs ? 'equal' : 'DIFFERENT']);
  printTable(['', 'Tempered', "simulator's ledger", ''], rows);
  return rows.every((row) => row[3] === 'equal');
}

prepareEmails();
const simulator = await startSimulator({ scenario: await loadScenario(path.join(here, '../scenarios/emails.yaml')) });
const args = ['run', path.join(here, 'task.ts'), EMAILS, '--new', '--out', out, ...process.argv.slice(2)];
const summary = await tempered(args, simulatorEnv(simulator.url));
const equal = compare(summary, simulator.totals());
await simulator.close();

const { items, succeeded, partial, failed, notRun } = summary;
console.log(`\n${items} e-mails: ${succeeded} succeeded, ${partial} partial, ${failed} failed, ${notRun} not run`);
console.log(`${summary.usage.unknownPrompts} prompts ended in a reset before the simulator billed them.`);
console.log(`Outcomes: ${path.relative(process.cwd(), out)}`);
process.exitCode = equal && succeeded + partial + failed + notRun === items ? 0 : 1;
