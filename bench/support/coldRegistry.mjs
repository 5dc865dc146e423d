// What a registry takes in a process that has just started: time, memory, and requests (there must be none).
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
const heapMb = () => {
  collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
};

let requests = 0;
globalThis.fetch = () => {
  requests += 1;
  return Promise.reject(new Error('A registry must send nothing.'));
};

const begun = performance.now();
const { openRegistry } = await import('tempered');
const loaded = performance.now();
const atLoad = heapMb();

const opening = performance.now();
const registry = await openRegistry({ env: { ANTHROPIC_API_KEY: 'none' }, folder: '/nowhere' });
const model = 'anthropic/claude-sonnet-4-6';
const kept = [registry.getLlm({ model, enhanced: true })];
const { contextLength } = kept[0].metadata;
const readyMs = performance.now() - opening;
if (contextLength === null) throw new Error('The handle does not know its model.');
const atReady = heapMb();

const MANY = 10_000;
const mbOf = (enhanced) => {
  const before = heapMb();
  const handles = Array.from({ length: MANY }, () => registry.getLlm({ model, enhanced }));
  const after = heapMb();
  if (handles.length !== MANY) throw new Error('unreachable');
  return after - before;
};
const plainMb = mbOf(false);
const enhancedMb = mbOf(true);
console.log(
  JSON.stringify({ loadMs: loaded - begun, readyMs, registryMb: atReady - atLoad, plainMb, enhancedMb, requests }),
);
