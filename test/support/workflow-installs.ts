/** Installs of apps, as the laws and the replay try them. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { uploadPath } from '../../activities/images/host-paths.ts';
import { admitInstall } from '../../activities/store/apps.ts';
import { completeUpload, createUpload } from '../../activities/store/uploads.ts';
import { startInstall } from '../../temporal/client/start-install.ts';
import { cloudletTaskQueue, installAppWorkflowId } from '../../workflows/contract/ids.ts';
import type { InstallInput } from '../../workflows/contract/app.ts';
import type { WorkflowLab } from './workflow-lab.ts';
import { workflowOver, type Prepare } from './workflow-operations.ts';

/** An upload as it lies there once it was verified. @returns its id */
export async function finishedUpload(
  { store, paths }: Pick<WorkflowLab, 'store' | 'paths'>,
  fileName: string,
  bytes: Buffer,
): Promise<string> {
  const id = randomUUID();
  await mkdir(paths.uploads, { recursive: true });
  await createUpload(store, id, { fileName, sizeBytes: bytes.length, metadata: {}, declaredSha256: null });
  await writeFile(uploadPath(paths, id), bytes);
  await completeUpload(store, id, createHash('sha256').update(bytes).digest('hex'));
  return id;
}

const newUpload = (lab: WorkflowLab) => finishedUpload(lab, 'client.bin', Buffer.from('a client'));

/** A file that becomes an app. */
export const installs: Prepare = async (lab) => {
  const uploadId = await newUpload(lab);
  const metadata = { name: `client ${randomUUID()}` };
  const { operationId, appId } = await admitInstall(lab.store, { uploadId, metadata, principal: 'test' });
  const workflowId = installAppWorkflowId(appId);
  const input: InstallInput = { operationId, appId, uploadId, metadata };
  return {
    workflowId,
    async run() {
      await lab.client.workflow.start('installApp', { workflowId, taskQueue: cloudletTaskQueue, args: [input] });
      await workflowOver(lab, workflowId);
    },
  };
};

/** A new file of an app that is there. */
export const replacesAnApp: Prepare = async (lab) => {
  const first = await installs(lab);
  await first.run();
  const { workflowId } = first;
  const appId = workflowId.slice(installAppWorkflowId('').length);
  // What the first install called is not what is tried.
  const uploadId = await newUpload(lab);
  lab.faults.forget(workflowId);
  return {
    workflowId,
    async run() {
      await startInstall(lab.store, lab.client, { appId, uploadId, metadata: {}, principal: 'test' });
      await workflowOver(lab, workflowId);
    },
  };
};
