// A gradual rollout: the same code in every service, and configuration that says where prompts are cached. Against the
// simulator: no key, and nothing leaves the machine.
//
//   npm run example:rollout
import { fileURLToPath } from 'node:url';
import { openRegistry } from 'tempered';
import { simulatorEnv, startSimulator } from '../../../dist/client/simulator.js';

const folder = fileURLToPath(new URL('.', import.meta.url));
const rules = {
  role: 'system',
  content: 'Answer from what the company has published, and from nothing else. '.repeat(150),
};
const simulator = await startSimulator();

/** Five calls of a service; how many tokens they read from the cache. */
async function serve(environment, service, more = {}) {
  const env = { ...simulatorEnv(simulator.url), TEMPERED_ENV: environment, ...more };
  const llm = (await openRegistry({ env, folder })).getLlm({ service });
  let cachedTokens = 0;
  for (let i = 0; i < 5; i += 1) {
    const { usage } = await llm.invoke([
      rules,
      { role: 'user', content: `${environment}, ${service}: question ${i}?` },
    ]);
    cachedTokens += usage.cachedInputTokens;
  }
  return { environment, service, ...more, isOptimized: llm.isOptimized, cachedTokens };
}

const told = [
  await serve('development', 'search'),
  await serve('development', 'drafts'),
  await serve('production', 'search'),
  await serve('production', 'drafts'),
  // The way back where no file can be changed.
  await serve('production', 'search', { LLM_OPTIMIZATION_ENABLED: 'false' }),
];
await simulator.close();
console.log(JSON.stringify(told, null, 2));
