export { loadScenario, simulatorEnv, startSimulator } from '../simulator/index.js';
