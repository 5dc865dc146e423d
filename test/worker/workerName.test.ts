import { spawnSync } from 'node:child_process';
import { isGone, workerName } from '../../src/worker/workerName.js';

describe('names of workers', () => {
  it('tell whether the process still runs', () => {
    const mine = workerName();
    expect(workerName()).not.toBe(mine);
    expect(isGone(mine)).toBe(false);
    const { pid } = spawnSync(process.execPath, ['--version']);
    const gone = mine.replace(`-${process.pid}-`, `-${pid}-`);
    expect(isGone(gone)).toBe(true);
    expect(isGone(gone.replace(/^/, 'elsewhere-'))).toBe(false);
    expect(isGone(mine.replace(`-${process.pid}-`, '-1-'))).toBe(false);
    expect(isGone('someone')).toBe(false);
  });
});
