import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { readDocument, writeMember, type BundleContents, type UnpackedBundle, type UnpackInput } from './bundle-contents.ts';
import { requireSpace, type WrittenFile } from './hashed-file.ts';
import { readOvf, type OvfMachine } from './read-ovf.ts';
import { refuse } from './refuse.ts';
import type { TarMember } from './read-members.ts';

/** By the standard an OVA begins with its OVF. */
export const isOvf = (name: string): boolean => name.toLowerCase().endsWith('.ovf');

/** A digest of a member, as the manifest of an OVA writes it down: `SHA256(disk.vmdk)= 0123…` */
interface Digest {
  readonly name: string;
  readonly algorithm: 'sha1' | 'sha256' | 'sha512';
  readonly hex: string;
}

/** The policy of bundles, where it comes as one, and not as a disk of an admin's own. */
type OvaInput = Pick<UnpackInput, 'folder'> & Partial<Pick<UnpackInput, 'policy'>>;

/** An OVA: one virtual machine, of which its first disk, memory, processors and name are taken. */
export class OvaContents implements BundleContents {
  readonly #input: OvaInput;
  #machine: OvfMachine | undefined;
  #ovf: { readonly name: string; readonly bytes: Buffer } | undefined;
  #disk: WrittenFile | undefined;
  #digests: readonly Digest[] = [];
  readonly #notes: string[] = [];

  constructor(input: OvaInput) {
    if (input.policy !== undefined && input.policy !== 'any') {
      throw refuse(`an OVA carries no signature that this cloudlet knows, and it takes signed bundles only (CLOUDLET_BUNDLE_POLICY)`);
    }
    this.#input = input;
  }

  async take(member: TarMember, body: AsyncIterable<Buffer>): Promise<void> {
    const { name, sizeBytes } = member;
    if (!this.#machine) {
      const bytes = await readDocument(member, body);
      this.#ovf = { name, bytes };
      this.#machine = readOvf(bytes);
    } else if (isOvf(name)) {
      throw refuse('it holds more than one OVF');
    } else if (name.toLowerCase().endsWith('.mf')) {
      this.#digests = readDigests((await readDocument(member, body)).toString('utf8'));
    } else if (name === this.#machine.diskName) {
      await requireSpace(this.#input.folder, sizeBytes);
      this.#disk = await writeMember(join(this.#input.folder, 'disk'), body);
    } else if (!name.toLowerCase().endsWith('.cert')) {
      this.#notes.push(`"${name}" was left out: of an OVA only the first disk is taken.`);
    }
  }

  async finish(): Promise<UnpackedBundle> {
    const [machine, disk] = [this.#machine!, this.#disk];
    if (!disk) throw refuse(`the disk "${machine.diskName}" is missing, which its OVF names`);
    await this.#requireDigests(disk);
    const { serviceId, description, memoryMib, vcpus } = machine;
    return {
      serviceId,
      spec: {
        description,
        ...(vcpus === undefined ? {} : { vcpus: Math.min(vcpus, 64) }),
        ...(memoryMib === undefined || memoryMib < 32 || memoryMib > 1024 * 1024
          ? {}
          : { memory: { idealMib: memoryMib, minimumMib: memoryMib } }),
      },
      disk: { ...disk, format: 'vmdk' },
      publisher: null,
      notes: this.#notes,
    };
  }

  async #requireDigests(disk: WrittenFile): Promise<void> {
    for (const { name, algorithm, hex } of this.#digests) {
      const found =
        name === this.#ovf!.name
          ? createHash(algorithm).update(this.#ovf!.bytes).digest('hex')
          : name === this.#machine!.diskName
            ? await digestOf(disk, algorithm)
            : hex;
      if (found !== hex) {
        throw new CloudletError(
          'checksum-mismatch',
          `The bundle is refused: "${name}" is not what its manifest says; its ${algorithm.toUpperCase()} is ${found}. Fetch it again.`,
        );
      }
    }
  }
}

function readDigests(text: string): Digest[] {
  return [...text.matchAll(/^(SHA1|SHA256|SHA512)\s*\(([^)\n]{1,255})\)\s*=\s*([0-9a-f]+)\s*$/gim)].map(([, algorithm, name, hex]) => ({
    algorithm: algorithm!.toLowerCase() as Digest['algorithm'],
    name: name!,
    hex: hex!.toLowerCase(),
  }));
}

async function digestOf({ path, sha256 }: WrittenFile, algorithm: Digest['algorithm']): Promise<string> {
  if (algorithm === 'sha256') return sha256;
  const hash = createHash(algorithm);
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
