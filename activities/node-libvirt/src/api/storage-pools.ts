import type { Caller, CallOptions } from '../caller.ts';
import type { StoragePoolReference } from '../protocol/references.ts';
import type { FlagOptions } from './flag-options.ts';
import { StoragePool } from './storage-pool.ts';
import { StorageVolume } from './storage-volume.ts';

/** Storage: pools, and volumes that are found without knowing their pool. */
export class StoragePools {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** All pools, or those that `flags` (`ListStoragePoolsFlag`) leave. */
  async list({ flags = 0, ...options }: FlagOptions = {}): Promise<StoragePool[]> {
    const { pools } = await this.#caller.call('connectListAllStoragePools', { needResults: 1, flags }, options);
    return pools.map((pool) => this.#pool({ pool }));
  }

  /** @throws LibvirtError `NO_STORAGE_POOL` */
  async lookupByName(name: string, options?: CallOptions): Promise<StoragePool> {
    return this.#pool(await this.#caller.call('storagePoolLookupByName', { name }, options));
  }

  /** @throws LibvirtError `NO_STORAGE_POOL` */
  async lookupByUuid(uuid: string, options?: CallOptions): Promise<StoragePool> {
    return this.#pool(await this.#caller.call('storagePoolLookupByUuid', { uuid }, options));
  }

  /** The pool that lies in a folder. */
  async lookupByTargetPath(path: string, options?: CallOptions): Promise<StoragePool> {
    return this.#pool(await this.#caller.call('storagePoolLookupByTargetPath', { path }, options));
  }

  /** Starts a pool that is forgotten when it ends. `flags` are `StoragePoolCreateFlag`. */
  async create(xml: string, { flags = 0, ...options }: FlagOptions = {}): Promise<StoragePool> {
    return this.#pool(await this.#caller.call('storagePoolCreateXml', { xml, flags }, options));
  }

  /** Makes or changes a persistent pool, without starting it. */
  async define(xml: string, { flags = 0, ...options }: FlagOptions = {}): Promise<StoragePool> {
    return this.#pool(await this.#caller.call('storagePoolDefineXml', { xml, flags }, options));
  }

  /** @throws LibvirtError `NO_STORAGE_VOL`; a file that appeared since needs a `refresh` of its pool first */
  async lookupVolumeByPath(path: string, options?: CallOptions): Promise<StorageVolume> {
    return new StorageVolume(this.#caller, (await this.#caller.call('storageVolLookupByPath', { path }, options)).volume);
  }

  /** @throws LibvirtError `NO_STORAGE_VOL` */
  async lookupVolumeByKey(key: string, options?: CallOptions): Promise<StorageVolume> {
    return new StorageVolume(this.#caller, (await this.#caller.call('storageVolLookupByKey', { key }, options)).volume);
  }

  #pool({ pool }: { readonly pool: StoragePoolReference }): StoragePool {
    return new StoragePool(this.#caller, pool);
  }
}
