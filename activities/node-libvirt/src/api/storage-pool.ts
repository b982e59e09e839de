import type { Caller, CallOptions } from '../caller.ts';
import { enumName, type NameOf } from '../protocol/enum-name.ts';
import type { StoragePoolReference, StorageVolumeReference } from '../protocol/references.ts';
import { StoragePoolState } from '../protocol/storage-enums.ts';
import type { FlagOptions } from './flag-options.ts';
import { StorageVolume } from './storage-volume.ts';

export interface StoragePoolInfo {
  readonly state: NameOf<typeof StoragePoolState>;
  readonly capacityBytes: number;
  readonly allocationBytes: number;
  readonly availableBytes: number;
}

/** One storage pool and its volumes. */
export class StoragePool {
  readonly reference: StoragePoolReference;
  readonly #caller: Caller;

  constructor(caller: Caller, reference: StoragePoolReference) {
    this.#caller = caller;
    this.reference = reference;
  }

  get name(): string {
    return this.reference.name;
  }

  get uuid(): string {
    return this.reference.uuid;
  }

  async info(options?: CallOptions): Promise<StoragePoolInfo> {
    const reply = await this.#caller.call('storagePoolGetInfo', { pool: this.reference }, options);
    return {
      state: enumName(StoragePoolState, reply.state),
      capacityBytes: Number(reply.capacity),
      allocationBytes: Number(reply.allocation),
      availableBytes: Number(reply.available),
    };
  }

  async xml({ flags = 0, ...options }: FlagOptions = {}): Promise<string> {
    return (await this.#caller.call('storagePoolGetXmlDesc', { pool: this.reference, flags }, options)).xml;
  }

  async isActive(options?: CallOptions): Promise<boolean> {
    return (await this.#caller.call('storagePoolIsActive', { pool: this.reference }, options)).active;
  }

  async isPersistent(options?: CallOptions): Promise<boolean> {
    return (await this.#caller.call('storagePoolIsPersistent', { pool: this.reference }, options)).persistent;
  }

  async autostart(options?: CallOptions): Promise<boolean> {
    return (await this.#caller.call('storagePoolGetAutostart', { pool: this.reference }, options)).autostart;
  }

  async setAutostart(autostart: boolean, options?: CallOptions): Promise<void> {
    await this.#caller.call('storagePoolSetAutostart', { pool: this.reference, autostart }, options);
  }

  /** Makes what the pool lies on, such as its folder. `flags` are `StoragePoolBuildFlag`. */
  async build({ flags = 0, ...options }: FlagOptions = {}): Promise<void> {
    await this.#caller.call('storagePoolBuild', { pool: this.reference, flags }, options);
  }

  /** Starts a defined pool. `flags` are `StoragePoolCreateFlag`. */
  async start({ flags = 0, ...options }: FlagOptions = {}): Promise<void> {
    await this.#caller.call('storagePoolCreate', { pool: this.reference, flags }, options);
  }

  /** Looks again which volumes there are. */
  async refresh(options?: CallOptions): Promise<void> {
    await this.#caller.call('storagePoolRefresh', { pool: this.reference, flags: 0 }, options);
  }

  /** Stops the pool. Its data stays. */
  async destroy(options?: CallOptions): Promise<void> {
    await this.#caller.call('storagePoolDestroy', { pool: this.reference }, options);
  }

  /** Removes what the pool lies on. Its data goes. */
  async delete({ flags = 0, ...options }: FlagOptions = {}): Promise<void> {
    await this.#caller.call('storagePoolDelete', { pool: this.reference, flags }, options);
  }

  /** Forgets a defined pool. Its data stays. */
  async undefine(options?: CallOptions): Promise<void> {
    await this.#caller.call('storagePoolUndefine', { pool: this.reference }, options);
  }

  async volumes(options?: CallOptions): Promise<StorageVolume[]> {
    const args = { pool: this.reference, needResults: 1, flags: 0 };
    return (await this.#caller.call('storagePoolListAllVolumes', args, options)).volumes.map((volume) => this.#volume({ volume }));
  }

  /** @throws LibvirtError `NO_STORAGE_VOL` */
  async lookupVolume(name: string, options?: CallOptions): Promise<StorageVolume> {
    return this.#volume(await this.#caller.call('storageVolLookupByName', { pool: this.reference, name }, options));
  }

  /** Makes a volume. `flags` are `StorageVolumeCreateFlag`. */
  async createVolume(xml: string, { flags = 0, ...options }: FlagOptions = {}): Promise<StorageVolume> {
    return this.#volume(await this.#caller.call('storageVolCreateXml', { pool: this.reference, xml, flags }, options));
  }

  /** Makes a volume with the contents of another. */
  async cloneVolume(xml: string, source: StorageVolume, { flags = 0, ...options }: FlagOptions = {}): Promise<StorageVolume> {
    const args = { pool: this.reference, xml, source: source.reference, flags };
    return this.#volume(await this.#caller.call('storageVolCreateXmlFrom', args, options));
  }

  #volume({ volume }: { readonly volume: StorageVolumeReference }): StorageVolume {
    return new StorageVolume(this.#caller, volume);
  }
}
