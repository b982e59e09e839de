import type { BundlePublisher } from '../../workflows/contract/bundle.ts';
import type { BundlePolicy } from '../../workflows/contract/bundle.ts';
import type { HypervisorFingerprint } from '../../workflows/contract/cloudlet.ts';
import type { ServiceSpec } from '../../workflows/contract/service.ts';
import { bundleLimits } from './bundle-limits.ts';
import { HashedFile, type WrittenFile } from './hashed-file.ts';
import { refuse } from './refuse.ts';
import type { TarMember } from './read-members.ts';

/** What a bundle is unpacked with. Passed between threads: plain data. */
export interface UnpackInput {
  /** The bundle's path. */
  readonly file: string;
  /** Where its disks go; there, and empty. */
  readonly folder: string;
  readonly policy: BundlePolicy;
  /** Public keys whose owners we trust, our own among them. */
  readonly trustedKeys: readonly string[];
  /** Where a saved state would be restored. */
  readonly hypervisor: HypervisorFingerprint;
  readonly hostCpu: string;
}

/** What was found in a bundle. Its disks lie in the folder, as they came: nobody looked into them yet. */
export interface UnpackedBundle {
  /** Undefined where the bundle says none that would do. */
  readonly serviceId: string | undefined;
  /** Of an OVA, which says no ports, they are missing. */
  readonly spec: Partial<ServiceSpec>;
  readonly disk: WrittenFile & { readonly format: 'qcow2' | 'vmdk' };
  readonly saved?: {
    readonly disk: WrittenFile;
    readonly memory: WrittenFile;
    readonly under: HypervisorFingerprint;
    readonly memoryMib: number;
    readonly vcpus: number;
  };
  readonly publisher: BundlePublisher | null;
  readonly notes: readonly string[];
}

/** Makes something of the members of a bundle as they come. */
export interface BundleContents {
  take(member: TarMember, body: AsyncIterable<Buffer>): Promise<void>;
  /** Once the last one has come. @throws CloudletError when something is missing, or not as it was said to be */
  finish(): Promise<UnpackedBundle>;
}

/** A member that is a document: all of it. */
export async function readDocument({ name, sizeBytes }: TarMember, body: AsyncIterable<Buffer>): Promise<Buffer> {
  if (sizeBytes > bundleLimits.documentBytes) throw refuse(`${name} is too large to be what it should be`);
  const pieces: Buffer[] = [];
  for await (const piece of body) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

/** A member that is a disk or a memory: to a file. */
export async function writeMember(path: string, body: AsyncIterable<Buffer>): Promise<WrittenFile> {
  const file = await HashedFile.create(path);
  try {
    for await (const piece of body) await file.write(piece);
    return await file.finish();
  } finally {
    await file.close();
  }
}
