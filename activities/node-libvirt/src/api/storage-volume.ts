import type { Readable, Writable } from 'node:stream';
import type { Caller, CallOptions } from '../caller.ts';
import { enumName, type NameOf } from '../protocol/enum-name.ts';
import type { StorageVolumeReference } from '../protocol/references.ts';
import { StorageVolumeType } from '../protocol/storage-enums.ts';
import type { FlagOptions } from './flag-options.ts';

export interface StorageVolumeInfo {
  readonly type: NameOf<typeof StorageVolumeType>;
  readonly capacityBytes: number;
  readonly allocationBytes: number;
}

export interface RangeOptions extends FlagOptions {
  readonly offsetBytes?: number | undefined;
  /** 0, the default, for all that follows. */
  readonly lengthBytes?: number | undefined;
}

/** One volume of a storage pool, such as a disk image. */
export class StorageVolume {
  readonly reference: StorageVolumeReference;
  readonly #caller: Caller;

  constructor(caller: Caller, reference: StorageVolumeReference) {
    this.#caller = caller;
    this.reference = reference;
  }

  get name(): string {
    return this.reference.name;
  }

  /** Unique on the host; for files their path. */
  get key(): string {
    return this.reference.key;
  }

  async path(options?: CallOptions): Promise<string> {
    return (await this.#caller.call('storageVolGetPath', { volume: this.reference }, options)).path;
  }

  async info(options?: CallOptions): Promise<StorageVolumeInfo> {
    const { type, capacity, allocation } = await this.#caller.call('storageVolGetInfo', { volume: this.reference }, options);
    return { type: enumName(StorageVolumeType, type), capacityBytes: Number(capacity), allocationBytes: Number(allocation) };
  }

  async xml({ flags = 0, ...options }: FlagOptions = {}): Promise<string> {
    return (await this.#caller.call('storageVolGetXmlDesc', { volume: this.reference, flags }, options)).xml;
  }

  /** `flags` are `StorageVolumeDeleteFlag`. */
  async delete({ flags = 0, ...options }: FlagOptions = {}): Promise<void> {
    await this.#caller.call('storageVolDelete', { volume: this.reference, flags }, options);
  }

  /** Overwrites the volume, so that nothing can be read from it. */
  async wipe({ flags = 0, ...options }: FlagOptions = {}): Promise<void> {
    await this.#caller.call('storageVolWipe', { volume: this.reference, flags }, options);
  }

  /** `flags` are `StorageVolumeResizeFlag`. */
  async resize(capacityBytes: number, { flags = 0, ...options }: FlagOptions = {}): Promise<void> {
    await this.#caller.call('storageVolResize', { volume: this.reference, capacity: BigInt(capacityBytes), flags }, options);
  }

  /**
   * The volume's bytes as they lie on the disk. `flags` are `StorageVolumeDownloadFlag`; holes of a `SPARSE_STREAM` come as zeros.
   * Ends when the daemon has confirmed that this was all.
   */
  async download(options: RangeOptions = {}): Promise<Readable> {
    const { args, rest } = this.#range(options);
    return (await this.#caller.openStream('storageVolDownload', args, rest)).stream;
  }

  /** Overwrites the volume's bytes. Finishes when the daemon has confirmed that they are written; `destroy` breaks off. */
  async upload(options: RangeOptions = {}): Promise<Writable> {
    const { args, rest } = this.#range(options);
    return (await this.#caller.openStream('storageVolUpload', args, rest)).stream;
  }

  #range({ offsetBytes = 0, lengthBytes = 0, flags = 0, ...rest }: RangeOptions) {
    return { args: { volume: this.reference, offset: BigInt(offsetBytes), length: BigInt(lengthBytes), flags }, rest };
  }
}
