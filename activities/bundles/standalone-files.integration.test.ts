import { randomUUID } from 'node:crypto';
import { link, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hostPaths, imagePath, type HostPaths } from '../images/host-paths.ts';
import { adoptImage, hashFile } from '../images/image-store.ts';
import { inspectDisk } from '../images/inspect-disk.ts';
import { inspectOverlay } from '../images/inspect-overlay.ts';
import { runTool } from '../run-tool.ts';
import type { StoredImage } from '../store/images.ts';
import { standaloneFiles } from './standalone-files.ts';

const virtualSizeBytes = 4 * 1024 * 1024;
const { signal } = new AbortController();
let root: string;
let paths: HostPaths;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'cloudlet-standalone-'));
  paths = hostPaths(root);
  await mkdir(paths.images, { recursive: true });
});
afterAll(() => rm(root, { recursive: true }));

async function stored(path: string, image: Pick<StoredImage, 'kind' | 'backingId'>): Promise<StoredImage> {
  const { sha256, sizeBytes } = await adoptImage(paths, path);
  return { ...image, id: sha256, sha256, sizeBytes, virtualSizeBytes };
}

/** A disk with something written to it, as a difference to another one where there is one. */
async function disk(name: string, offset: string, base?: StoredImage): Promise<StoredImage> {
  const path = join(paths.images, name);
  const upon = base ? ['-u', '-b', base.sha256, '-F', 'qcow2'] : [];
  await runTool('qemu-img', ['create', '-q', '-f', 'qcow2', ...upon, path, String(virtualSizeBytes)]);
  await runTool('qemu-io', ['-f', 'qcow2', '-c', `write -P 0x5a ${offset} 64k`, path]);
  return stored(path, { kind: 'disk', backingId: base?.id ?? null });
}

async function memory(): Promise<StoredImage> {
  const path = join(paths.images, `memory-${randomUUID()}`);
  await writeFile(path, 'memory');
  return stored(path, { kind: 'memory', backingId: null });
}

const folderOf = async (name: string): Promise<string> => {
  const folder = join(root, name);
  await mkdir(folder);
  return folder;
};

/** Whether two disks hold the same, whatever lies below the second. */
const isSame = (path: string, image: StoredImage) =>
  runTool('qemu-img', ['compare', '-q', '-f', 'qcow2', '-F', 'qcow2', path, imagePath(paths, image.sha256)]);

it('takes images as they are where the disk stands alone', async () => {
  const base = await disk('base', '0');
  const savedDisk = await disk('saved', '64k', base);
  const files = await standaloneFiles(
    paths,
    { disk: base, saved: { disk: savedDisk, memory: await memory(), under: null } },
    await folderOf('plain'),
    signal,
  );
  expect([files.disk.path, files.saved!.disk.path]).toEqual([base, savedDisk].map(({ sha256 }) => imagePath(paths, sha256)));
});

it.each(['a saved disk of its own', 'what was saved itself'])(
  'makes one disk of a difference, and puts the saved state upon it: %s',
  async (which) => {
    const isItself = which === 'what was saved itself';
    const base = await disk(`below-${isItself}`, '128k');
    const edited = await disk(`edited-${isItself}`, isItself ? '192k' : '256k', base);
    const saved = isItself ? edited : await disk('state', '320k', edited);
    const files = await standaloneFiles(
      paths,
      { disk: edited, saved: { disk: saved, memory: await memory(), under: null } },
      await folderOf(`flat-${isItself}`),
      signal,
    );
    expect(await inspectDisk(files.disk.path, 'qcow2')).toEqual({ virtualSizeBytes });
    expect(await hashFile(files.disk.path)).toMatchObject({ sha256: files.disk.sha256, sizeBytes: files.disk.sizeBytes });
    await isSame(files.disk.path, edited);
    // It is there under that name once the bundle is imported.
    await inspectOverlay(files.saved!.disk.path, { name: files.disk.sha256, virtualSizeBytes });
    await link(files.disk.path, join(root, `flat-${isItself}`, files.disk.sha256));
    await isSame(files.saved!.disk.path, saved);
  },
);
