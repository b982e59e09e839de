/** Flags of calls on domains, to be combined with `|`: numbers of `libvirt-domain*.h`. */

/** Of `Domains.create` and `Domain.start`. */
export const CreateFlag = {
  NONE: 0,
  PAUSED: 1,
  AUTODESTROY: 2,
  BYPASS_CACHE: 4,
  FORCE_BOOT: 8,
  VALIDATE: 16,
  RESET_NVRAM: 32,
} as const;

/** Of `Domains.define`. */
export const DefineFlag = {
  VALIDATE: 1,
} as const;

/** Of `Domain.undefine`. */
export const UndefineFlag = {
  MANAGED_SAVE: 1,
  SNAPSHOTS_METADATA: 2,
  NVRAM: 4,
  KEEP_NVRAM: 8,
  CHECKPOINTS_METADATA: 16,
  TPM: 32,
  KEEP_TPM: 64,
} as const;

/** Of `Domain.destroy`. */
export const DestroyFlag = {
  DEFAULT: 0,
  GRACEFUL: 1,
  REMOVE_LOGS: 2,
} as const;

/** Of `Domain.shutdown`. */
export const ShutdownFlag = {
  DEFAULT: 0,
  ACPI_POWER_BTN: 1,
  GUEST_AGENT: 2,
  INITCTL: 4,
  SIGNAL: 8,
  PARAVIRT: 16,
} as const;

/** Of `Domain.reboot`. */
export const RebootFlag = {
  DEFAULT: 0,
  ACPI_POWER_BTN: 1,
  GUEST_AGENT: 2,
  INITCTL: 4,
  SIGNAL: 8,
  PARAVIRT: 16,
} as const;

/** Of `Domain.save`, `Domains.restore`, `ManagedSave.save` and the saved image. */
export const SaveRestoreFlag = {
  BYPASS_CACHE: 1,
  RUNNING: 2,
  PAUSED: 4,
  RESET_NVRAM: 8,
} as const;

/** Of `Domain.xml`. */
export const DomainXmlFlag = {
  SECURE: 1,
  INACTIVE: 2,
  UPDATE_CPU: 4,
  MIGRATABLE: 8,
} as const;

/** Of `Domains.savedImageXml`. */
export const SaveImageXmlFlag = {
  SECURE: 1,
} as const;

/** Of `Domains.list`; flags of one group widen, groups narrow. */
export const ListDomainsFlag = {
  ACTIVE: 1,
  INACTIVE: 2,
  PERSISTENT: 4,
  TRANSIENT: 8,
  RUNNING: 16,
  PAUSED: 32,
  SHUTOFF: 64,
  OTHER: 128,
  MANAGEDSAVE: 256,
  NO_MANAGEDSAVE: 512,
  AUTOSTART: 1024,
  NO_AUTOSTART: 2048,
  HAS_SNAPSHOT: 4096,
  NO_SNAPSHOT: 8192,
  HAS_CHECKPOINT: 16384,
  NO_CHECKPOINT: 32768,
} as const;

/** Which configuration a change touches. */
export const Affect = {
  CURRENT: 0,
  LIVE: 1,
  CONFIG: 2,
} as const;

/** Of `DomainMigration.perform`. */
export const MigrateFlag = {
  LIVE: 1,
  PEER2PEER: 2,
  TUNNELLED: 4,
  PERSIST_DEST: 8,
  UNDEFINE_SOURCE: 16,
  PAUSED: 32,
  NON_SHARED_DISK: 64,
  NON_SHARED_INC: 128,
  CHANGE_PROTECTION: 256,
  UNSAFE: 512,
  OFFLINE: 1024,
  COMPRESSED: 2048,
  ABORT_ON_ERROR: 4096,
  AUTO_CONVERGE: 8192,
  RDMA_PIN_ALL: 16384,
  POSTCOPY: 32768,
  TLS: 65536,
  PARALLEL: 131072,
  NON_SHARED_SYNCHRONOUS_WRITES: 262144,
  POSTCOPY_RESUME: 524288,
  ZEROCOPY: 1048576,
} as const;

/** Of the speed limit of a migration. */
export const MigrateMaxSpeedFlag = {
  POSTCOPY: 1,
} as const;

/** Of `DomainJob.stats`. */
export const JobStatsFlag = {
  COMPLETED: 1,
  KEEP_COMPLETED: 2,
} as const;

/** Of `DomainJob.abort`. */
export const AbortJobFlag = {
  POSTCOPY: 1,
} as const;

/** Of `Domain.openConsole`. */
export const ConsoleFlag = {
  FORCE: 1,
  SAFE: 2,
} as const;

/** Of `DomainQemu.monitorCommand`. */
export const MonitorCommandFlag = {
  DEFAULT: 0,
  HMP: 1,
} as const;

/** Of `DomainSnapshots.create`. */
export const SnapshotCreateFlag = {
  REDEFINE: 1,
  CURRENT: 2,
  NO_METADATA: 4,
  HALT: 8,
  DISK_ONLY: 16,
  REUSE_EXT: 32,
  QUIESCE: 64,
  ATOMIC: 128,
  LIVE: 256,
  VALIDATE: 512,
} as const;

/** Of `DomainSnapshots.list`. */
export const SnapshotListFlag = {
  ROOTS: 1,
  DESCENDANTS: 1,
  LEAVES: 4,
  NO_LEAVES: 8,
  METADATA: 2,
  NO_METADATA: 16,
  INACTIVE: 32,
  ACTIVE: 64,
  DISK_ONLY: 128,
  INTERNAL: 256,
  EXTERNAL: 512,
  TOPOLOGICAL: 1024,
} as const;

/** Of `DomainSnapshot.revert`. */
export const SnapshotRevertFlag = {
  RUNNING: 1,
  PAUSED: 2,
  FORCE: 4,
  RESET_NVRAM: 8,
} as const;

/** Of `DomainSnapshot.delete`. */
export const SnapshotDeleteFlag = {
  CHILDREN: 1,
  METADATA_ONLY: 2,
  CHILDREN_ONLY: 4,
} as const;

/** Of `DomainBlockJobs.commit`. */
export const BlockCommitFlag = {
  SHALLOW: 1,
  DELETE: 2,
  ACTIVE: 4,
  RELATIVE: 8,
  BANDWIDTH_BYTES: 16,
} as const;

/** Of `DomainBlockJobs.copy`. */
export const BlockCopyFlag = {
  SHALLOW: 1,
  REUSE_EXT: 2,
  TRANSIENT_JOB: 4,
  SYNCHRONOUS_WRITES: 8,
} as const;

/** Of `DomainBlockJobs.abort`. */
export const BlockJobAbortFlag = {
  ASYNC: 1,
  PIVOT: 2,
} as const;

/** Of `DomainBlockJobs.resize`, which sets it itself. */
export const BlockResizeFlag = {
  BYTES: 1,
} as const;
