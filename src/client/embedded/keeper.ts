// The process that keeps a folder's embedded server: `keeper FOLDER PROGRAM IDLE_MS`. Started by `ensureServer`.
import { Keeper } from './keeping.js';
import { identify } from './processes.js';
import { filesOf } from './serverState.js';

const [folder = '', program = '', idleMs = ''] = process.argv.slice(2);
const own = identify(process.pid);
if (own === undefined) throw new Error('This process is not to be found among the running ones.');
const keeper = new Keeper(filesOf(folder), program, Number(idleMs), own);
const stop = () => keeper.stop();
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
// Its terminal may close; the server stays.
process.on('SIGHUP', () => undefined);
process.exitCode = await keeper.run();
