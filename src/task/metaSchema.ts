import type { ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';

/**
 * Checks that a value is a schema of draft 2020-12. The build puts what Ajv makes of it here in this file's place, for
 * that takes 40 ms: see scripts/compile-meta-schema.mjs.
 */
export const checkSchema: ValidateFunction = new Ajv2020({ allErrors: true, strict: false, logger: false }).compile({
  $ref: 'https://json-schema.org/draft/2020-12/schema',
});
