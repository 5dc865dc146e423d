// Lets the Temporal SDK download its dev server: `download FOLDER`. A process of its own, because the SDK can only
// download by starting a server, and its runtime can be set up once per process.
import { TestWorkflowEnvironment } from '@temporalio/testing';

const [downloadDir = ''] = process.argv.slice(2);
const environment = await TestWorkflowEnvironment.createLocal({
  server: { executable: { type: 'cached-download', downloadDir } },
});
await environment.teardown();
