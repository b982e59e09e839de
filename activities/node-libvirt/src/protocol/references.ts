import { int, string, struct, uuid, type ValueOf } from '../xdr/codec.ts';

/** How the protocol names an object of the daemon. The UUID decides; a domain's id may be out of date. */
export const domain = struct({ name: string, uuid, id: int });
export type DomainReference = ValueOf<typeof domain>;

export const network = struct({ name: string, uuid });
export type NetworkReference = ValueOf<typeof network>;

export const networkFilter = struct({ name: string, uuid });
export type NetworkFilterReference = ValueOf<typeof networkFilter>;

export const storagePool = struct({ name: string, uuid });
export type StoragePoolReference = ValueOf<typeof storagePool>;

/** `key` is unique on the host, for files their path. */
export const storageVolume = struct({ pool: string, name: string, key: string });
export type StorageVolumeReference = ValueOf<typeof storageVolume>;

export const snapshot = struct({ name: string, domain });
export type SnapshotReference = ValueOf<typeof snapshot>;
