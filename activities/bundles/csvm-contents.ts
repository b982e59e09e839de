import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { BundlePublisher } from '../../workflows/contract/bundle.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { sameFingerprint } from '../store/start-options.ts';
import { readDocument, writeMember, type BundleContents, type UnpackedBundle, type UnpackInput } from './bundle-contents.ts';
import { manifestName, readManifest, type BundleManifest, type BundleMember } from './bundle-manifest.ts';
import { signatureName, verifySignature } from './bundle-signature.ts';
import { requireSpace, type WrittenFile } from './hashed-file.ts';
import { refuse } from './refuse.ts';
import { readServiceJson, serviceJsonName, type ServiceDescription } from './service-json.ts';
import type { TarMember } from './read-members.ts';

/**
 * A `.csvm` bundle: pycloud's, which is a disk, perhaps a memory state, and a description; or ours, which begins with a
 * manifest that says of each member what it is, and with a signature of that.
 */
export class CsvmContents implements BundleContents {
  readonly #input: UnpackInput;
  readonly #written = new Map<string, WrittenFile>();
  readonly #seen = new Set<string>();
  readonly #notes: string[] = [];
  #manifestBytes: Buffer | undefined;
  #manifest: BundleManifest | undefined;
  #publisher: BundlePublisher | null = null;
  #introduced = false;
  #description: ServiceDescription | undefined;

  constructor(input: UnpackInput) {
    this.#input = input;
  }

  async take(member: TarMember, body: AsyncIterable<Buffer>): Promise<void> {
    const { name } = member;
    if (name === manifestName) {
      if (this.#seen.size > 0) throw refuse('its manifest is not its first member');
      this.#manifestBytes = await readDocument(member, body);
      this.#manifest = readManifest(this.#manifestBytes);
    } else if (name === signatureName) {
      if (!this.#manifestBytes || this.#seen.size > 1) throw refuse('its signature does not follow its manifest');
      const publicKey = verifySignature(this.#manifestBytes, await readDocument(member, body));
      this.#publisher = { publicKey, trusted: this.#input.trustedKeys.includes(publicKey) };
    } else {
      await this.#introduce();
      await (this.#manifest ? this.#takeListed(this.#manifest, member, body) : this.#takeUnlisted(member, body));
    }
    this.#seen.add(name);
  }

  async finish(): Promise<UnpackedBundle> {
    await this.#introduce();
    if (!this.#description) throw refuse(`it holds no ${serviceJsonName}`);
    const publisher = this.#publisher;
    const manifest = this.#manifest;
    if (!manifest) {
      const { serviceId, spec, diskName } = this.#description;
      const disk = this.#written.get(diskName);
      if (!disk) throw refuse(`it does not hold the disk "${diskName.slice(0, 80)}" that its ${serviceJsonName} names`);
      return { serviceId, spec, disk: { ...disk, format: 'qcow2' }, publisher, notes: this.#notes };
    }
    const missing = manifest.members.find(({ name }) => !this.#seen.has(name));
    if (missing) throw refuse(`"${missing.name}" is missing, which its manifest names`);
    const { serviceId, ...spec } = manifest.spec;
    const [disk, savedDisk, memory] = (['disk', 'saved-disk', 'saved-memory'] as const).map((role) => this.#writtenAs(manifest, role));
    return {
      serviceId,
      spec,
      disk: { ...disk!, format: 'qcow2' },
      ...(manifest.saved && savedDisk && memory ? { saved: { ...manifest.saved, disk: savedDisk, memory } } : {}),
      publisher,
      notes: this.#notes,
    };
  }

  #writtenAs(manifest: BundleManifest, role: BundleMember['role']): WrittenFile | undefined {
    return this.#written.get(manifest.members.find((member) => member.role === role)?.name ?? '');
  }

  /** Before the first byte of a disk is written: whether it is taken at all, and whether there is room. */
  async #introduce(): Promise<void> {
    if (this.#introduced) return;
    this.#introduced = true;
    requireWelcome(this.#input, this.#publisher);
    if (!this.#manifest) return;
    const left = this.#leftOut(this.#manifest);
    if (left !== undefined) this.#notes.push(left);
    const kept = this.#manifest.members.filter((member) => this.#isKept(member));
    await requireSpace(
      this.#input.folder,
      kept.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    );
  }

  async #takeListed(manifest: BundleManifest, member: TarMember, body: AsyncIterable<Buffer>): Promise<void> {
    const listed = manifest.members.find(({ name }) => name === member.name);
    if (!listed) throw refuse(`it holds "${member.name}", which its manifest does not name`);
    if (listed.sizeBytes !== member.sizeBytes) {
      throw refuse(`"${member.name}" has ${member.sizeBytes} bytes, and its manifest says ${listed.sizeBytes}`);
    }
    const sha256 = await this.#takeAs(listed, member, body);
    if (sha256 !== listed.sha256) {
      throw new CloudletError(
        'checksum-mismatch',
        `The bundle is refused: "${member.name}" is not what its manifest says; its SHA-256 is ${sha256}. Fetch the bundle again.`,
      );
    }
  }

  async #takeAs(listed: BundleMember, member: TarMember, body: AsyncIterable<Buffer>): Promise<string> {
    if (listed.role === 'service') {
      const bytes = await readDocument(member, body);
      this.#description = readServiceJson(bytes);
      return createHash('sha256').update(bytes).digest('hex');
    }
    if (this.#isKept(listed)) {
      const written = await writeMember(join(this.#input.folder, listed.role), body);
      this.#written.set(member.name, written);
      return written.sha256;
    }
    const hash = createHash('sha256');
    for await (const piece of body) hash.update(piece);
    return hash.digest('hex');
  }

  async #takeUnlisted(member: TarMember, body: AsyncIterable<Buffer>): Promise<void> {
    const { name } = member;
    if (name === serviceJsonName) {
      this.#description = readServiceJson(await readDocument(member, body));
    } else if (name.toLowerCase().endsWith('.qcow2')) {
      if (this.#written.size > 0) throw refuse('it holds more than one disk');
      await requireSpace(this.#input.folder, member.sizeBytes);
      this.#written.set(name, await writeMember(join(this.#input.folder, 'disk'), body));
    } else if (member.sizeBytes > 0) {
      this.#notes.push(
        name.toLowerCase().endsWith('.lqs')
          ? 'The saved state was left out: it says neither who made it nor for which QEMU. The service boots cold; save it anew to restore.'
          : `"${name}" was left out: a bundle of this kind needs no such file.`,
      );
    }
  }

  #isKept({ role }: BundleMember): boolean {
    if (role === 'disk') return true;
    return (
      (role === 'saved-disk' || role === 'saved-memory') && this.#manifest!.saved !== null && this.#leftOut(this.#manifest!) === undefined
    );
  }

  /**
   * Why the saved state does not serve here. It is a running program that QEMU takes over as it is, so only those whom
   * we trust may bring one.
   */
  #leftOut({ saved, hostCpu }: BundleManifest): string | undefined {
    if (!saved) return undefined;
    const { hypervisor, hostCpu: ours } = this.#input;
    if (!this.#publisher?.trusted)
      return 'The saved state was left out: nobody whom this cloudlet trusts signed it. The service boots cold.';
    if (!sameFingerprint(saved.under, hypervisor) || (hypervisor.accelerator === 'kvm' && hostCpu !== ours)) {
      const { qemuVersion, machine, accelerator } = saved.under;
      return `The saved state was left out: it needs QEMU ${qemuVersion} (${machine}, ${accelerator}) on ${hostCpu}. The service boots cold.`;
    }
    return undefined;
  }
}

function requireWelcome({ policy }: UnpackInput, publisher: BundlePublisher | null): void {
  if (policy === 'any' || publisher?.trusted || (policy === 'signed' && publisher)) return;
  throw refuse(
    publisher
      ? `its publisher ${publisher.publicKey} is none that this cloudlet trusts; add the key to CLOUDLET_TRUSTED_PUBLISHERS if you do`
      : `nobody signed it, and this cloudlet takes ${policy === 'signed' ? 'signed' : 'trusted'} bundles only (CLOUDLET_BUNDLE_POLICY)`,
  );
}
