export { isListening } from './ports.js';
export { obtainProgram } from './program.js';
export {
  type EmbeddedServer,
  type EnsureOptions,
  ensureServer,
  serverStatus,
  stopServer,
  useServer,
} from './server.js';
