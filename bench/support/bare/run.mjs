// Runs the barest program once: `run.mjs JSON`. Prints one line of JSON: what it took.
//   {address, baseUrl, n, concurrency, eager}   `eager`: activities on the workflows' queue, handed over with them
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { fileURLToPath } from 'node:url';
import { INSTRUCTIONS, promptOf } from '../ours.mjs';

const SHARD = 500;
const { address, baseUrl, n, concurrency, eager = false } = JSON.parse(process.argv[2]);

async function ask(index) {
  const messages = [
    { role: 'system', content: INSTRUCTIONS },
    { role: 'user', content: promptOf(index) },
  ];
  const response = await fetch(`${baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'stub', messages, max_tokens: 100, temperature: 0 }),
  });
  return JSON.parse((await response.json()).choices[0].message.content);
}

Runtime.install({ logger: new DefaultLogger('WARN') });
const connection = await NativeConnection.connect({ address });
const client = new Client({ connection: await Connection.connect({ address }) });
const workflowsPath = fileURLToPath(new URL('workflows.mjs', import.meta.url));
const shared = { connection, namespace: 'default', maxConcurrentActivityTaskExecutions: 1000 };
const workflowBundle = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
const queues = eager ? { items: 'bare', prompts: 'bare' } : { items: 'bare', prompts: 'bare-prompts' };
const workers = await Promise.all([
  Worker.create({ ...shared, taskQueue: queues.items, workflowBundle, ...(eager ? { activities: { ask } } : {}) }),
  ...(eager ? [] : [Worker.create({ ...shared, taskQueue: queues.prompts, activities: { ask } })]),
]);
const running = Promise.all(workers.map((worker) => worker.run()));
const run = (from, to) =>
  client.workflow.execute('bareShard', {
    taskQueue: queues.items,
    workflowId: `bare-${process.pid}-${from}`,
    args: [from, to, concurrency, queues.prompts],
  });
await run(1_000_000_000, 1_000_000_000 + Math.min(50, n));
const cpu = process.cpuUsage();
const begun = performance.now();
for (let from = 0; from < n; from += SHARD) await run(from, Math.min(n, from + SHARD));
const seconds = (performance.now() - begun) / 1000;
const { user, system } = process.cpuUsage(cpu);
console.log(JSON.stringify({ seconds, cpuMs: (user + system) / 1000 }));
for (const worker of workers) worker.shutdown();
await running;
process.exit(0);
