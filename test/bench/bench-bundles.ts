import { randomBytes, randomUUID } from 'node:crypto';
import { copyFile, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pycloudJson } from '../../activities/bundles/test-support/test-bundle.ts';
import { runTool } from '../../activities/run-tool.ts';
import { checkoutDir } from '../../temporal/config/load-config.ts';
import { bytesPerMib } from '../../workflows/contract/units.ts';
import type { StartedCloudlet } from '../support/started-cloudlet.ts';
import { measurement, timed, type Measurement } from './measurement.ts';
import { operationResult } from './operation-result.ts';

const diskMib = 2048;
/** Of the disk that is compressed, which takes many times as long. */
const packedMib = 512;
const serviceId = 'bench.bundle';
const minimumShare = 0.7;
const fastEnough = 'at least 70 % as fast';
const long = { timeoutMs: 600_000 };
const maximumGrowthMib = 64;
const maximumDisk = 1.05;
const sampleEveryMs = 100;

export const benchBundles = async (cloudlet: StartedCloudlet): Promise<Measurement[]> => [
  ...(await benchPlain(cloudlet)),
  ...(await benchPacked(cloudlet)),
];

/** Import and export of a service of 2 GiB, beside what the machine takes to hash or to write as much. */
async function benchPlain(cloudlet: StartedCloudlet): Promise<Measurement[]> {
  const { importDir } = cloudlet.config;
  const file = await makeBundle(importDir, (disk) =>
    runTool('qemu-img', ['create', '-q', '-f', 'qcow2', '-o', 'preallocation=full', disk, `${diskMib}M`], long),
  );
  const path = join(importDir, file);
  const scratch = join(importDir, 'floor');
  try {
    const hashing = await timed(() => runTool('sha256sum', [path], long));
    const writing = await timed(async () => {
      await copyFile(path, scratch);
      await flush(scratch);
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
    await removeService(cloudlet);
  }
}

/** The same with gzip, beside `pigz` alone. Half of the disk shrinks, and half of it does not. */
async function benchPacked(cloudlet: StartedCloudlet): Promise<Measurement[]> {
  const { importDir } = cloudlet.config;
  const path = join(importDir, await makeBundle(importDir, fillHalf));
  const packed = `${path}.gz`;
  const scratch = join(importDir, 'floor');
  const beside = (name: string, seconds: number, floorMs: number) =>
    measurement(
      {
        name: `${name} of ${packedMib} MiB with gzip, beside pigz and fsync`,
        unit: 's',
        value: seconds,
        floor: floorMs / 1000,
        aim: fastEnough,
      },
      (value, floor) => floor / value >= minimumShare,
    );
  const pigz = (...args: readonly string[]) =>
    timed(async () => {
      await runTool('sh', ['-c', 'out=$1; shift; exec pigz "$@" >"$out"', 'sh', scratch, ...args], long);
      await flush(scratch);
    });
  try {
    const packing = await pigz('-c', path);
    await rename(scratch, packed);
    const unpacking = await pigz('-dc', packed);
    const imported = await watched(cloudlet, '/v1/bundles/imports', { source: { kind: 'file', file: basename(packed) } });
    const exported = await watched(cloudlet, '/v1/bundles', { serviceId, compression: 'gzip' });
    return [beside('import', imported.seconds, unpacking), beside('export', exported.seconds, packing)];
  } finally {
    for (const file of [path, packed, scratch]) await rm(file, { force: true });
    await removeService(cloudlet);
  }
}

const removeService = ({ admin }: StartedCloudlet): Promise<unknown> =>
  admin.request('DELETE', `/v1/services/${serviceId}?stop=true&purge=true`, undefined, { prefer: 'wait=60' }).catch(() => undefined);

async function flush(path: string): Promise<void> {
  const written = await open(path);
  await written.sync();
  await written.close();
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
    const ms = await timed(() => operationResult(cloudlet.admin, path, body));
    return { seconds: ms / 1000, growthMib: peak.workerMib - before.workerMib, diskMib: peak.diskMib - before.diskMib };
  } finally {
    ended.abort();
    await sampling;
  }
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
      aim: fastEnough,
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

/** Writes a bundle as pycloud does. @param makeDisk writes a qcow2 file @returns its name in the import folder */
async function makeBundle(importDir: string, makeDisk: (path: string) => Promise<unknown>): Promise<string> {
  const folder = join(importDir, 'making');
  await mkdir(folder, { recursive: true });
  const file = `${randomUUID()}.csvm`;
  await makeDisk(join(folder, 'disk.qcow2'));
  const description = pycloudJson({ service_id: serviceId, vm_image: { disk_image: 'disk.qcow2', state_image: '' } });
  await writeFile(join(folder, 'service.json'), description);
  await runTool('tar', ['-C', folder, '-cf', join(importDir, file), 'service.json', 'disk.qcow2'], long);
  await rm(folder, { recursive: true });
  return file;
}

/** A disk of random bytes and of text, a MiB of each in turn. */
async function fillHalf(disk: string): Promise<void> {
  const raw = `${disk}.raw`;
  const text = Buffer.alloc(bytesPerMib, await readFile(join(checkoutDir, 'package-lock.json')));
  const file = await open(raw, 'w');
  for (let index = 0; index < packedMib; index += 1) await file.write(index % 2 === 0 ? randomBytes(bytesPerMib) : text);
  await file.close();
  await runTool('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, disk], long);
  await rm(raw);
}
