export type { LedgerEntry, LedgerSums, LedgerTotals } from './ledger.js';
export { loadScenario, parseScenario } from './scenario.js';
export type { AnswerFault, Scenario, ScenarioInput, TransportFault } from './scenario.js';
export { simulatorEnv, startSimulator } from './server.js';
export type { Simulator, SimulatorOptions } from './server.js';
