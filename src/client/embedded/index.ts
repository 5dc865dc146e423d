export { isListening } from './ports.js';
export { obtainProgram } from './program.js';
export { type EmbeddedServer, ensureServer, serverStatus, stopServer, useServer } from './server.js';
