import { createHash, createPrivateKey } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { Header, Pax } from 'tar';
import type { BundleCompression } from '../../workflows/contract/bundle.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { manifestName, type BundleManifest, type BundleMember } from './bundle-manifest.ts';
import { bundleOutput } from './bundle-output.ts';
import { signatureName, signManifest } from './bundle-signature.ts';
import { requireSpace, type WrittenFile } from './hashed-file.ts';
import type { Observer } from './observer.ts';
import { readChunks } from './read-chunks.ts';

/** What a bundle is made of. Passed between threads: plain data. */
export interface PackInput {
  /** The file to write; not there yet. */
  readonly file: string;
  readonly folder: string;
  readonly compression: BundleCompression;
  readonly manifest: BundleManifest;
  /** Where the content of each member of the manifest is: a file, or as it stands here. */
  readonly contents: Readonly<Record<string, { readonly path: string } | { readonly text: string }>>;
  readonly signingKeyPath: string;
}

export type PackedBundle = WrittenFile;

/**
 * Writes a bundle: manifest and signature first, so that its reader knows what comes before it comes. Each file is read
 * once, and must be what the manifest says.
 * @throws CloudletError `image-unavailable` when one is not, `capacity-exhausted`
 */
export async function packBundle(input: PackInput, { signal, onBytes }: Observer): Promise<PackedBundle> {
  const { manifest, contents, compression, folder } = input;
  const total = manifest.members.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  await requireSpace(folder, compression === 'none' ? total : 0);
  const output = await bundleOutput(input.file, compression, signal);
  try {
    const manifestBytes = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
    const signature = signManifest(manifestBytes, createPrivateKey(await readFile(input.signingKeyPath)));
    await writeDocument(output, manifestName, manifestBytes);
    await writeDocument(output, signatureName, signature);
    let done = 0;
    for (const member of manifest.members) {
      const content = contents[member.name]!;
      if ('text' in content) await writeDocument(output, member.name, Buffer.from(content.text));
      else await writeFile(output, member, content.path, signal, (bytes) => onBytes((done += bytes), total));
    }
    await output.write(endOfArchive);
    return await output.finish();
  } finally {
    await output.close();
  }
}

interface Output {
  write(chunk: Buffer): Promise<void>;
}

const blockBytes = 512;
const endOfArchive = Buffer.alloc(2 * blockBytes);
const padding = (sizeBytes: number): Buffer => Buffer.alloc((blockBytes - (sizeBytes % blockBytes)) % blockBytes);

function header(path: string, size: number): Buffer {
  const plain = new Header({ path, size, type: 'File', mode: 0o644, uid: 0, gid: 0, mtime: new Date() });
  const needsMore = plain.encode();
  return Buffer.concat([...(needsMore ? [new Pax({ path, size }).encode()] : []), plain.block!]);
}

async function writeDocument(output: Output, name: string, bytes: Buffer): Promise<void> {
  await output.write(Buffer.concat([header(name, bytes.length), bytes, padding(bytes.length)]));
}

async function writeFile(
  output: Output,
  { name, sizeBytes, sha256 }: BundleMember,
  path: string,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const file = await open(path);
  try {
    await output.write(header(name, sizeBytes));
    const hash = createHash('sha256');
    for await (const chunk of readChunks(file, signal)) {
      await output.write(chunk);
      hash.update(chunk);
      onBytes(chunk.length);
    }
    if (hash.digest('hex') !== sha256) {
      throw new CloudletError(
        'image-unavailable',
        `The image ${sha256.slice(0, 12)} is damaged on this host. Build or import the service again.`,
      );
    }
    await output.write(padding(sizeBytes));
  } finally {
    await file.close();
  }
}
