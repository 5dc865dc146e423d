import type { WorkflowDefinitionOptions } from '@temporalio/common';
import { workflowInfo } from '@temporalio/workflow';

/** How a workflow moves between versions of its worker. A worker without a version must not name any: the server refuses it. */
export function versioned(versioningBehavior: 'PINNED' | 'AUTO_UPGRADE'): () => WorkflowDefinitionOptions {
  // An unversioned worker has a version too, with no deployment in it.
  return () => (workflowInfo().currentDeploymentVersion?.deploymentName ? { versioningBehavior } : {});
}
