import { defineTask } from '../../src/task/defineTask.js';
import { Bench, records, until } from '../support/bench.js';

jest.setTimeout(120_000);

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open();
});
afterAll(() => bench.close());

test('a versioned worker runs a batch; its items are pinned to its version, the batch moves on', async () => {
  await bench.work({ buildId: 'one' });
  const { workflowService } = bench.client.connection;
  const deployment = { namespace: 'default', deploymentName: 'tempered' };
  await until(async () => {
    const current = { ...deployment, buildId: 'one', ignoreMissingTaskQueues: true };
    return workflowService.setWorkerDeploymentCurrentVersion(current).then(
      () => true,
      // The server has not heard of the version yet.
      () => false,
    );
  });
  const task = defineTask({
    name: 'versioned',
    model: 'anthropic/claude-sonnet-4-6',
    prompt: 'Say something of {{text}}',
  });
  const batch = await bench.tempered.startBatch(task, records(3));
  expect(await batch.result()).toMatchObject({ status: 'finished', succeeded: 3 });
  const versioning = async (id: string) => {
    const { workflowExecutionInfo } = await bench.client.workflow
      .getHandle(id)
      .describe()
      .then(({ raw }) => raw);
    return workflowExecutionInfo?.versioningInfo;
  };
  const [ofBatch, ofItem] = [await versioning(batch.id), await versioning(`${batch.id}/1`)];
  expect([ofBatch?.behavior, ofItem?.behavior].map(String)).toEqual(['2', '1']);
  expect(ofItem?.deploymentVersion).toMatchObject({ deploymentName: 'tempered', buildId: 'one' });
});
