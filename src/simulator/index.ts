export type { LedgerEntry } from './ledger.js';
export { loadScenario, parseScenario } from './scenario.js';
export type { ScenarioInput } from './scenario.js';
export { simulatorEnv, startSimulator } from './server.js';
export type { Simulator } from './server.js';
