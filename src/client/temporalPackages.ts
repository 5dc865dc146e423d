// Temporal's packages, loaded by those who need them. Not by `import()`: to learn what a CommonJS package exports Node
// then reads its files one more time, 20 to 40 ms of every command that asks the server.
import { createRequire } from 'node:module';
import type * as Client from '@temporalio/client';
import type * as Envconfig from '@temporalio/envconfig';

const require = createRequire(import.meta.url);

/** `@temporalio/client`. */
export function temporalClient(): typeof Client {
  const load: (name: string) => typeof Client = require;
  return load('@temporalio/client');
}

/** `@temporalio/envconfig`. */
export function temporalEnvconfig(): typeof Envconfig {
  const load: (name: string) => typeof Envconfig = require;
  return load('@temporalio/envconfig');
}
