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

/** Pure modules, evaluated once per worker instead of once per workflow: nothing in them is a workflow's own. */
const PURE = [
  ...['ladder', 'paths', 'retryState', 'story'].map((name) => `recovery/${name}.js`),
  ...['errors', 'json', 'money', 'usage'].map((name) => `task/${name}.js`),
  ...['ends', 'fanout', 'ids', 'settings', 'summaries'].map((name) => `workflows/${name}.js`),
];

const { code } = await bundleWorkflowCode({
  workflowsPath: at('workflows/index.js'),
  logger,
  preloadModules: PURE.map(at),
});
// By rename: a worker that starts now reads the old bundle or the new one, never half of it.
writeFileSync(at('workflow-bundle.js.tmp'), code);
renameSync(at('workflow-bundle.js.tmp'), at('workflow-bundle.js'));
