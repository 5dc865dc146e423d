// The loop everybody writes first: the openai SDK, a semaphore, and results written as they come. `sdkLoop.mjs JSON`.
//   {baseUrl, n, concurrency, results}   `results`: a SQLite file, or one that ends in .jsonl
import { createWriteStream } from 'node:fs';
import Database from 'libsql';
import OpenAI from 'openai';
import { z } from 'zod';
import { INSTRUCTIONS, promptOf } from './ours.mjs';

const { baseUrl, n, concurrency, results } = JSON.parse(process.argv[2]);
const answer = z.object({ label: z.enum(['bug', 'billing', 'other']), urgent: z.boolean() });
const client = new OpenAI({ baseURL: baseUrl, apiKey: 'none', maxRetries: 0 });

/** Writes to SQLite in groups, as whoever measures soon does: one transaction per result would be ten times slower. */
function sqliteWriter(file) {
  const database = new Database(file);
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = NORMAL');
  database.exec('CREATE TABLE results (idx INTEGER PRIMARY KEY, output TEXT, usage TEXT)');
  const insert = database.prepare('INSERT INTO results VALUES (?, ?, ?)');
  let queue = [];
  const write = database.transaction((rows) => rows.forEach((row) => insert.run(...row)));
  const flush = () => {
    const rows = queue;
    queue = [];
    write(rows.map(({ row }) => row));
    rows.forEach(({ done }) => done());
  };
  return {
    write: (row) =>
      new Promise((done) => {
        queue.push({ row, done });
        if (queue.length === 1) setTimeout(flush, 2);
      }),
    close: () => database.close(),
  };
}

function jsonlWriter(file) {
  const out = createWriteStream(file);
  return {
    write: (row) => new Promise((done) => out.write(`${JSON.stringify(row)}\n`, done)),
    close: () => new Promise((done) => out.end(done)),
  };
}

const writer = results.endsWith('.jsonl') ? jsonlWriter(results) : sqliteWriter(results);
let next = 0;
let succeeded = 0;

async function lane() {
  while (next < n) {
    const index = next;
    next += 1;
    const reply = await client.chat.completions.create({
      model: 'stub',
      max_tokens: 100,
      temperature: 0,
      messages: [
        { role: 'system', content: INSTRUCTIONS },
        { role: 'user', content: promptOf(index) },
      ],
    });
    const output = answer.parse(JSON.parse(reply.choices[0].message.content));
    await writer.write([index, JSON.stringify(output), JSON.stringify(reply.usage)]);
    succeeded += 1;
  }
}

const begun = performance.now();
await Promise.all(Array.from({ length: concurrency }, lane));
const seconds = (performance.now() - begun) / 1000;
await writer.close();
const { user, system } = process.cpuUsage();
const peakMb = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify({ seconds, succeeded, cpuMs: (user + system) / 1000, peakMb }));
