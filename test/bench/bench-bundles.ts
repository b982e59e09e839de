import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, open, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pycloudJson } from '../../activities/bundles/test-support/test-bundle.ts';
import { runTool } from '../../activities/run-tool.ts';
import type { OperationBody } from '../../workflows/contract/http.ts';
import { bytesPerMib } from '../../workflows/contract/units.ts';
import type { StartedCloudlet } from '../support/started-cloudlet.ts';
import { measurement, timed, type Measurement } from './measurement.ts';

const diskMib = 2048;
const serviceId = 'bench.bundle';
const minimumShare = 0.7;
const maximumGrowthMib = 64;
const maximumDisk = 1.05;
const sampleEveryMs = 100;

/** Import and export of a service of 2 GiB, beside what the machine takes to hash or to write as much. */
export async function benchBundles(cloudlet: StartedCloudlet): Promise<Measurement[]> {
  const { importDir } = cloudlet.config;
  const file = await makeBundle(importDir);
  const path = join(importDir, file);
  const scratch = join(importDir, 'floor');
  try {
    const hashing = await timed(() => runTool('sha256sum', [path], { timeoutMs: 600_000 }));
    const writing = await timed(async () => {
      await copyFile(path, scratch);
      const written = await open(scratch);
      await written.sync();
      await written.close();
    });
    await rm(scratch);
    const floor = Math.max(hashing, writing) / 1000;
    const imported = await watched(cloudlet, '/v1/bundles/imports', { source: { kind: 'file', file } });
    const exported = await watched(cloudlet, '/v1/bundles', { serviceId });
    // What an import needs: the bundle, which lies there, and the disk that is in it. An export needs the other one.
    const bundleMib = (await stat(path)).size / bytesPerMib;
    return [
      ...rows('import of 2 GiB', imported, floor, imported.diskMib + bundleMib, bundleMib + diskMib),
      ...rows('export of 2 GiB', exported, floor, exported.diskMib + diskMib, bundleMib + diskMib),
    ];
  } finally {
    await rm(path, { force: true });
    await rm(scratch, { force: true });
    await cloudlet.admin.request('DELETE', `/v1/services/${serviceId}?stop=true&purge=true`).catch(() => undefined);
  }
}

interface Watched {
  readonly seconds: number;
  /** Of the worker, beyond what it had before. */
  readonly growthMib: number;
  /** On the disk, beyond what was there before. */
  readonly diskMib: number;
}

async function watched(cloudlet: StartedCloudlet, path: string, body: object): Promise<Watched> {
  const before = await sample(cloudlet);
  const peak = { ...before };
  const ended = new AbortController();
  const sampling = (async () => {
    while (!ended.signal.aborted) {
      const now = await sample(cloudlet);
      peak.workerMib = Math.max(peak.workerMib, now.workerMib);
      peak.diskMib = Math.max(peak.diskMib, now.diskMib);
      await sleep(sampleEveryMs, undefined, { signal: ended.signal }).catch(() => undefined);
    }
  })();
  try {
    const ms = await timed(async () => {
      const { operationId } = await cloudlet.admin.request<{ operationId: string }>('POST', path, body);
      await untilEnded(cloudlet, operationId);
    });
    return { seconds: ms / 1000, growthMib: peak.workerMib - before.workerMib, diskMib: peak.diskMib - before.diskMib };
  } finally {
    ended.abort();
    await sampling;
  }
}

async function untilEnded({ admin }: StartedCloudlet, operationId: string): Promise<void> {
  for await (const _ of admin.events(`/v1/operations/${operationId}/events`)) {
    // Until the operation has ended.
  }
  const { state, problem } = await admin.request<OperationBody>('GET', `/v1/operations/${operationId}`);
  if (state !== 'succeeded') throw new Error(`It did not succeed: ${JSON.stringify(problem)}`);
}

async function sample(cloudlet: StartedCloudlet): Promise<{ workerMib: number; diskMib: number }> {
  const folders = ['images', 'exports'].map((name) => join(cloudlet.config.dataDir, name));
  await Promise.all(folders.map((folder) => mkdir(folder, { recursive: true })));
  const [memory, text] = await Promise.all([cloudlet.residentMib(), runTool('du', ['-cs', '--block-size=1', ...folders])]);
  return { workerMib: memory['worker']!, diskMib: Number(/^(\d+)\s+total$/m.exec(text)![1]) / bytesPerMib };
}

const rows = (name: string, { seconds, growthMib }: Watched, floorSeconds: number, usedMib: number, neededMib: number): Measurement[] => [
  measurement(
    {
      name: `${name}, beside the slower of sha256sum and write + fsync`,
      unit: 's',
      value: seconds,
      floor: floorSeconds,
      aim: 'at least 70 % as fast',
    },
    (value, floor) => floor / value >= minimumShare,
  ),
  measurement(
    { name: `${name}: memory growth of the worker`, unit: 'MiB', value: growthMib, floor: null, aim: `at most ${maximumGrowthMib} MiB` },
    (value) => value <= maximumGrowthMib,
  ),
  measurement(
    { name: `${name}: disk used at its peak`, unit: 'MiB', value: usedMib, floor: neededMib, aim: 'at most 1.05× the bundle and the disk' },
    (value, floor) => value <= maximumDisk * floor,
  ),
];

/** Writes a bundle as pycloud does, with a disk that is full. @returns its name in the import folder */
async function makeBundle(importDir: string): Promise<string> {
  await mkdir(importDir, { recursive: true });
  const disk = join(importDir, `${randomUUID()}.qcow2`);
  const file = `${randomUUID()}.csvm`;
  await runTool('qemu-img', ['create', '-q', '-f', 'qcow2', '-o', 'preallocation=full', disk, `${diskMib}M`], { timeoutMs: 600_000 });
  const description = pycloudJson({ service_id: serviceId, vm_image: { disk_image: 'disk.qcow2', state_image: '' } });
  await writeFile(join(importDir, 'service.json'), description);
  await runTool(
    'tar',
    ['-C', importDir, '-cf', join(importDir, file), '--transform', 's/.*qcow2$/disk.qcow2/', 'service.json', disk.split('/').at(-1)!],
    {
      timeoutMs: 600_000,
    },
  );
  await rm(disk);
  await rm(join(importDir, 'service.json'));
  return file;
}
