// Bundles dist/workflows into dist/workflow-bundle.js, so that a worker starts without webpack. Fails when a module
// that is not allowed in a workflow (Node's own above all) got in.
import { renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';

const at = (file) => fileURLToPath(new URL(`../dist/${file}`, import.meta.url));
/** The bundler tells of progress at `info`, which nobody needs here; warnings and errors are shown. */
const show = (message) => process.stderr.write(`${message}\n`);
const quiet = () => undefined;
const logger = { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: show, error: show };

const { code } = await bundleWorkflowCode({
  workflowsPath: at('workflows/index.js'),
  logger,
  // Evaluated once per worker instead of once per workflow: lint keeps state out of workflows' modules.
  preloadModules: [at('workflows/index.js')],
});
// By rename: a worker that starts now reads the old bundle or the new one, never half of it.
writeFileSync(at('workflow-bundle.js.tmp'), code);
renameSync(at('workflow-bundle.js.tmp'), at('workflow-bundle.js'));
