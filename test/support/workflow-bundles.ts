/** Imports and exports of bundles, whose disks are real though tiny. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tarArchive, type TarMember } from './tar-archive.ts';
import { pycloudJson } from '../../activities/bundles/test-support/test-bundle.ts';
import { runTool } from '../../activities/run-tool.ts';
import { admitExport } from '../../activities/store/bundles.ts';
import { admitImport } from '../../activities/store/imports.ts';
import { startOnceClosed } from '../../temporal/client/start-operation.ts';
import type { ExportInput, ImportChoices, ImportInput, ImportOutcome } from '../../workflows/contract/bundle.ts';
import type { WorkflowLab } from './workflow-lab.ts';
import { workflowOver, type Prepare } from './workflow-operations.ts';

/** Bytes of a qcow2 disk of a megabyte with nothing on it. */
export async function emptyDisk(folder: string): Promise<Buffer> {
  const path = join(folder, `${randomUUID()}.qcow2`);
  await mkdir(folder, { recursive: true });
  await runTool('qemu-img', ['create', '-q', '-f', 'qcow2', path, '1M']);
  const bytes = await readFile(path);
  await rm(path);
  return bytes;
}

/** Puts a bundle as pycloud writes it into the import folder. @returns its name */
export async function putBundle(
  { paths }: Pick<WorkflowLab, 'paths'>,
  serviceId: string,
  change: (members: TarMember[]) => TarMember[] = (members) => members,
): Promise<string> {
  const disk = await emptyDisk(paths.imports);
  const file = `${randomUUID()}.csvm`;
  const description = pycloudJson({ service_id: serviceId, vm_image: { disk_image: 'a.qcow2', state_image: 'a.qcow2.lqs' } });
  const members = change([{ name: 'a.qcow2', content: disk }, { name: 'a.qcow2.lqs' }, { name: 'service.json', content: description }]);
  await writeFile(join(paths.imports, file), tarArchive(members));
  return file;
}

async function prepareImport(lab: WorkflowLab, file: string, choices: ImportChoices = {}) {
  const { operationId, workflowId } = await admitImport(lab.store, { subject: file, principal: 'test' });
  const input: ImportInput = { operationId, source: { kind: 'file', file }, choices };
  return {
    workflowId,
    async run(): Promise<ImportOutcome> {
      await startOnceClosed(lab.client, 'importService', { workflowId, operationId, args: [input] });
      return workflowOver<ImportOutcome>(lab, workflowId);
    },
  };
}

/** Imports a bundle from the import folder. @throws CloudletError why it is refused */
export const importFile = async (lab: WorkflowLab, file: string, choices?: ImportChoices): Promise<ImportOutcome> =>
  (await prepareImport(lab, file, choices)).run();

export const imports: Prepare = async (lab) => {
  const prepared = await prepareImport(lab, await putBundle(lab, `test.${randomUUID()}`));
  return { workflowId: prepared.workflowId, run: async () => void (await prepared.run()) };
};

/** The export of a service that was imported before. */
export const exports: Prepare = async (lab) => {
  const { serviceId } = await importFile(lab, await putBundle(lab, `test.${randomUUID()}`));
  const { operationId, workflowId } = await admitExport(lab.store, { serviceId, principal: 'test' });
  const input: ExportInput = { operationId, serviceId, compression: 'none' };
  return {
    workflowId,
    async run() {
      await startOnceClosed(lab.client, 'exportService', { workflowId, operationId, args: [input] });
      await workflowOver(lab, workflowId);
    },
  };
};
