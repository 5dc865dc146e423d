// 6,046 real e-mails through the simulator, with a fifth of the answers broken, rate limits and connection resets.
// Ends with our numbers beside the simulator's own ledger: they must be equal to the last token and nano-dollar.
//
//   npm run example:emails [-- --limit N] [--concurrency N]
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { printTable, readLines, startSimulator, tempered } from '../support.mjs';
import { EMAILS, prepareEmails } from './prepare.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.join(here, '.cache', 'outcomes.jsonl');
const scenario = path.join(here, '..', 'scenarios', 'emails.yaml');

prepareEmails();
const simulator = await startSimulator(scenario);
try {
  const options = ['--new', '--out', out, ...process.argv.slice(2)];
  const summary = await tempered(['run', path.join(here, 'task.ts'), EMAILS, ...options], simulator.env);
  const ledger = await (await fetch(`${simulator.url}/ledger`)).json();
  report(summary, ledger);
} finally {
  simulator.stop();
}
