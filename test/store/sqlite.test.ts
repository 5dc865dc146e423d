import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { storeContract } from './contract.js';
import { poolContract } from './poolContract.js';
import { processContract } from './processContract.js';
import { retryContract } from './retryContract.js';
import { propertyContract } from './propertyContract.js';
import { spendContract } from './spendContract.js';

const folder = mkdtempSync(path.join(tmpdir(), 'tempered-sqlite-'));
let count = 0;
const fresh = (): string => `sqlite:${path.join(folder, 'new', `${(count += 1)}.db`)}`;
const url = (): string => `sqlite:${path.join(folder, 'store.db')}`;

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('SQLite', () => {
  storeContract(url);
  poolContract(url);
  retryContract(url);
  propertyContract(url);
  spendContract(url);
  processContract(url, () => Promise.resolve(fresh()));
});
