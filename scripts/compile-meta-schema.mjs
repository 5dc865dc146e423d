// Puts the code that src/task/metaSchema.ts has Ajv make at each start into its place in dist/.
import { writeFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import standalone from 'ajv/dist/standalone/index.js';

const ajv = new Ajv2020({ allErrors: true, strict: false, logger: false, code: { source: true, esm: true } });
const made = standalone.default(ajv, { checkSchema: 'https://json-schema.org/draft/2020-12/schema' });

// Ajv asks for its own modules by `require`, of ES modules too.
const modules = [];
const code = made.replaceAll(/require\("(ajv\/dist\/runtime\/[a-z]+)"\)/g, (_, module) => {
  modules.push(`import module${modules.length} from '${module}.js';\n`);
  return `module${modules.length - 1}`;
});
if (code.includes('require(')) throw new Error('The compiled meta-schema asks for a module in an unknown way.');
writeFileSync(new URL('../dist/task/metaSchema.js', import.meta.url), modules.join('') + code);
