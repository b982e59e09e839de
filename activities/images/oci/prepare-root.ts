import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { contentPath, type Unpacking } from './apply-layer.ts';
import type { RunConfig } from './image-documents.ts';
import type { Leaf, Ownership } from './layer-tree.ts';
import { unprocessable, unsafe } from './refusals.ts';

const plain = { uid: 0, gid: 0, mtimeSeconds: 0, attributes: new Map<string, Buffer>() };
const mountPoints: readonly (readonly [name: string, mode: number])[] = [
  ['dev', 0o755],
  ['proc', 0o555],
  ['sys', 0o555],
  ['tmp', 0o1777],
];
const maximumAccountsBytes = 4 * 2 ** 20;

/**
 * Adds what a container runtime adds to an image's root when it runs it: places to mount on, its volumes' and its working
 * directory, and the three files of `/etc` that belong to the machine.
 * @param layer a number above those of the image's layers
 */
export async function prepareRoot(unpacking: Unpacking, config: RunConfig, hostname: string, layer: number): Promise<void> {
  const { tree } = unpacking;
  for (const [name, mode] of mountPoints) {
    const found = tree.find([name], { followLast: false });
    if (found && found.kind !== 'directory') throw unsafe(`/${name} in it is not a directory`);
    if (!found) tree.putDirectory([name], { ...plain, mode }, layer);
  }
  for (const place of [...Object.keys(config.Volumes ?? {}), config.WorkingDir || '/']) makeDirectory(unpacking, place, layer);
  const etc = tree.find(['etc'], { followLast: false });
  if (etc && etc.kind !== 'directory') return;
  const files = {
    hostname: `${hostname}\n`,
    hosts: `127.0.0.1 localhost ${hostname}\n::1 localhost ip6-localhost ip6-loopback\n`,
    'resolv.conf': '',
  };
  for (const [name, content] of Object.entries(files)) await putFile(unpacking, ['etc', name], content, layer);
}

function makeDirectory({ tree }: Unpacking, place: string, layer: number): void {
  const parts = path.posix
    .normalize(`/${Buffer.from(place).toString('latin1')}`)
    .split('/')
    .filter(Boolean);
  const found = tree.find(parts);
  if (found && found.kind !== 'directory') throw unprocessable(`"${place.slice(0, 200)}" is to be a directory in it, and is a file`);
  if (!found) tree.putDirectory(parts, { ...plain, mode: 0o755 }, layer);
}

async function putFile(unpacking: Unpacking, place: readonly string[], text: string, layer: number): Promise<void> {
  const ownership: Ownership = { ...plain, mode: 0o644 };
  const leaf: Leaf = { kind: 'file', ownership, target: '', sizeBytes: Buffer.byteLength(text), names: 0 };
  if (text === '') return unpacking.tree.putLeaf(place, leaf, layer);
  const content = unpacking.nextContent;
  unpacking.nextContent += 1;
  await writeFile(contentPath(unpacking, content), text, { flag: 'wx', mode: 0o600 });
  unpacking.tree.putLeaf(place, { ...leaf, content }, layer);
}

/** What a file of the tree holds, as text; empty where there is none. */
export async function readTreeFile(unpacking: Unpacking, place: readonly string[]): Promise<string> {
  const found = unpacking.tree.find(place);
  if (found?.kind !== 'file' || found.content === undefined || found.sizeBytes > maximumAccountsBytes) return '';
  return readFile(contentPath(unpacking, found.content), 'utf8');
}
