import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HypervisorFingerprint } from '../../../workflows/contract/cloudlet.ts';
import type { UnpackInput } from '../bundle-contents.ts';

export const testHypervisor: HypervisorFingerprint = {
  accelerator: 'tcg',
  qemuVersion: '7.2.0',
  machine: 'pc-q35-7.2',
  cpuModel: 'maximum',
};

/** A folder of a test's own, gone with it. */
export async function withTestFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'cloudlet-bundle-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A bundle's bytes as a file, and what it is unpacked with. */
export async function unpackInput(folder: string, bytes: Buffer, input: Partial<UnpackInput> = {}): Promise<UnpackInput> {
  const unpacked = join(folder, 'unpacked');
  await rm(unpacked, { recursive: true, force: true });
  await mkdir(unpacked);
  const file = join(folder, 'bundle.csvm');
  await writeFile(file, bytes);
  return { file, folder: unpacked, policy: 'any', trustedKeys: [], hypervisor: testHypervisor, hostCpu: 'Test CPU', ...input };
}

/** What pycloud writes of a service. */
export const pycloudJson = (changes: Record<string, unknown> = {}): string =>
  JSON.stringify({
    service_id: 'edu.cmu.sei.ams.speech_rec_service',
    vm_image: { disk_image: 'speech.qcow2', state_image: 'speech.qcow2.lqs' },
    description: 'Speech recognition',
    version: '',
    tags: ['speech', ''],
    port: '9001',
    num_users: 0,
    ideal_memory: '',
    min_memory: '512',
    ...changes,
  });
