/** Storage: numbers and flags of `libvirt-storage.h`. */

/** State of a pool. */
export const StoragePoolState = {
  INACTIVE: 0,
  BUILDING: 1,
  RUNNING: 2,
  DEGRADED: 3,
  INACCESSIBLE: 4,
} as const;

/** Kind of a volume. */
export const StorageVolumeType = {
  FILE: 0,
  BLOCK: 1,
  DIR: 2,
  NETWORK: 3,
  NETDIR: 4,
  PLOOP: 5,
} as const;

/** Of `StoragePool.build`. */
export const StoragePoolBuildFlag = {
  NEW: 0,
  REPAIR: 1,
  RESIZE: 2,
  NO_OVERWRITE: 4,
  OVERWRITE: 8,
} as const;

/** Of `StoragePools.create` and `StoragePool.start`. */
export const StoragePoolCreateFlag = {
  NORMAL: 0,
  WITH_BUILD: 1,
  WITH_BUILD_OVERWRITE: 2,
  WITH_BUILD_NO_OVERWRITE: 4,
} as const;

/** Of `StoragePools.list`. */
export const ListStoragePoolsFlag = {
  INACTIVE: 1,
  ACTIVE: 2,
  PERSISTENT: 4,
  TRANSIENT: 8,
  AUTOSTART: 16,
  NO_AUTOSTART: 32,
  DIR: 64,
  FS: 128,
  NETFS: 256,
  LOGICAL: 512,
  DISK: 1024,
  ISCSI: 2048,
  SCSI: 4096,
  MPATH: 8192,
  RBD: 16384,
  SHEEPDOG: 32768,
  GLUSTER: 65536,
  ZFS: 131072,
  VSTORAGE: 262144,
  ISCSI_DIRECT: 524288,
} as const;

/** Of `StoragePool.createVolume`. */
export const StorageVolumeCreateFlag = {
  PREALLOC_METADATA: 1,
  REFLINK: 2,
  VALIDATE: 4,
} as const;

/** Of `StorageVolume.delete`. */
export const StorageVolumeDeleteFlag = {
  NORMAL: 0,
  ZEROED: 1,
  WITH_SNAPSHOTS: 2,
} as const;

/** Of `StorageVolume.download`. */
export const StorageVolumeDownloadFlag = {
  SPARSE_STREAM: 1,
} as const;

/** Of `StorageVolume.upload`. */
export const StorageVolumeUploadFlag = {
  SPARSE_STREAM: 1,
} as const;

/** Of `StorageVolume.resize`. */
export const StorageVolumeResizeFlag = {
  ALLOCATE: 1,
  DELTA: 2,
  SHRINK: 4,
} as const;
