import pg from 'pg';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { storeContract } from './contract.js';
import { poolContract } from './poolContract.js';
import { processContract } from './processContract.js';
import { retryContract } from './retryContract.js';
import { propertyContract } from './propertyContract.js';
import { spendContract } from './spendContract.js';

let postgres: TestPostgres;
let count = 0;

async function freshDatabase(): Promise<string> {
  const name = `fresh_${(count += 1)}`;
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
  return postgres.url.replace(/\/postgres$/, `/${name}`);
}

beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(async () => {
  await postgres.stop();
});

describe('PostgreSQL', () => {
  const url = (): string => postgres.url;
  storeContract(url);
  poolContract(url);
  retryContract(url);
  propertyContract(url);
  spendContract(url);
  processContract(url, freshDatabase);
});
