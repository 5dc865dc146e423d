// Talking to single models: a conversation that keeps below 80 % of its context, plain and enhanced handles, and prompt
// caching by one line. Against the simulator: no key, and nothing leaves the machine.
//
//   npm run example:registry
import { fileURLToPath } from 'node:url';
import { openRegistry, optimize } from 'tempered';
import { simulatorEnv, startSimulator } from '../../dist/client/simulator.js';

const folder = fileURLToPath(new URL('.', import.meta.url));
const simulator = await startSimulator();
const env = simulatorEnv(simulator.url);

/** A conversation that drops its oldest turns before the context is four fifths full. */
async function contextBudget() {
  const registry = await openRegistry({ env, folder });
  const warnings = [];
  const onWarning = (message) => warnings.push(message);
  const llm = registry.getLlm({ model: 'ollama/small', enhanced: true, contextBudget: 0.8, onWarning });
  const rules = { role: 'system', content: 'You plan which page a browser opens next. Be brief.' };
  let turns = [];
  let dropped = 0;
  for (let page = 1; page <= 6; page += 1) {
    turns.push({ role: 'user', content: `Page ${page} says: ${'prices, terms and a long list of links. '.repeat(7)}` });
    while (llm.contextUse([rules, ...turns]).over && turns.length > 1) {
      turns = turns.slice(2);
      dropped += 2;
    }
    const { text } = await llm.invoke([rules, ...turns]);
    turns.push({ role: 'assistant', content: text });
  }
  const before = warnings.length;
  await llm.invoke(`All at once: ${'prices, terms and a long list of links. '.repeat(35)}`);
  return { dropped, warnedWhileDropping: before, warning: warnings.at(-1) };
}

/** The same code with both kinds of handle, chosen by the call or by the environment. */
async function modes() {
  const answers = [];
  for (const [more, options] of [
    [{}, { enhanced: false }],
    [{}, { enhanced: true }],
    [{ TEMPERED_ENHANCED: 'true' }, {}],
    [{ TEMPERED_ENHANCED: 'false' }, {}],
  ]) {
    const registry = await openRegistry({ env: { ...env, ...more }, folder });
    const llm = registry.getLlm(options);
    const { text } = await llm.invoke('Which order does jo@example.org ask about?');
    answers.push({ ...more, ...options, isEnhanced: llm.isEnhanced, text, counts: registry.handleCounts });
  }
  return answers;
}

/** One line more, and the instructions are paid for once. */
async function caching() {
  const registry = await openRegistry({ env, folder });
  const llm = optimize(registry.getLlm({ enhanced: true }), { cache: { enabled: true } });
  const rules = { role: 'system', content: 'Sort the message by what its writer wants. '.repeat(200) };
  for (let i = 0; i < 10; i += 1) await llm.invoke([rules, { role: 'user', content: `Message ${i}: where is it?` }]);
  return llm.getCacheStats();
}

const told = { contextBudget: await contextBudget(), modes: await modes(), caching: await caching() };
await simulator.close();
console.log(JSON.stringify(told, null, 2));
