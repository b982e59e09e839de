/** libvirt's RPC protocol in pure TypeScript. Start with {@link connect}. */
export { Domain, type DomainInfo, type DomainStatus, type SaveOptions } from './api/domain.ts';
export { DomainBlockJobs, type BlockJobInfo, type BlockJobOptions } from './api/domain-block-jobs.ts';
export { DomainJob, type JobInfo, type JobProgress, type JobStatistics } from './api/domain-job.ts';
export { DomainMigration, type MigrationOptions } from './api/domain-migration.ts';
export { DomainQemu } from './api/domain-qemu.ts';
export { DomainSnapshot } from './api/domain-snapshot.ts';
export { DomainSnapshots } from './api/domain-snapshots.ts';
export {
  DomainStatistics,
  type BlockInfo,
  type GuestInterface,
  type InterfaceAddress,
  type MemoryStatistics,
} from './api/domain-statistics.ts';
export { Domains, type RestoreOptions } from './api/domains.ts';
export type { FlagOptions } from './api/flag-options.ts';
export { Host, type Counters, type Emulation, type HostInfo } from './api/host.ts';
export { ManagedSave } from './api/managed-save.ts';
export { Network } from './api/network.ts';
export { NetworkFilter } from './api/network-filter.ts';
export { NetworkFilters } from './api/network-filters.ts';
export { Networks } from './api/networks.ts';
export { StoragePool, type StoragePoolInfo } from './api/storage-pool.ts';
export { StoragePools } from './api/storage-pools.ts';
export { StorageVolume, type RangeOptions, type StorageVolumeInfo } from './api/storage-volume.ts';
export type { CallOptions, Caller, OpenedStream } from './caller.ts';
export { Client, type ClientOptions } from './client/client.ts';
export { EventSubscription, type EventGap, type EventOptions } from './client/event-subscription.ts';
export type { ReconnectOptions } from './client/session.ts';
export { connect } from './connect.ts';
export { Connection } from './connection/connection.ts';
export type { KeepaliveOptions } from './connection/keepalive.ts';
export { openConnection, type ConnectionOptions } from './connection/open-connection.ts';
export { RpcStream } from './connection/rpc-stream.ts';
export { errorKinds, isLibvirtError, LibvirtError, RpcError, type RpcErrorKind } from './errors.ts';
export * from './protocol/domain-enums.ts';
export * from './protocol/domain-flags.ts';
export { enumName, type NameOf } from './protocol/enum-name.ts';
export { ErrorCode, ErrorDomain, ErrorLevel } from './protocol/error-codes.ts';
export * from './protocol/event-enums.ts';
export type { DomainEvent, EventKind } from './protocol/events.ts';
export * from './protocol/host-enums.ts';
export type { Arguments, ProcedureName, Reply, StreamName } from './protocol/procedures.ts';
export type {
  DomainReference,
  NetworkFilterReference,
  NetworkReference,
  SnapshotReference,
  StoragePoolReference,
  StorageVolumeReference,
} from './protocol/references.ts';
export * from './protocol/storage-enums.ts';
export {
  typedParameterRecord,
  type TypedParameter,
  type TypedParameterRecord,
  type TypedParameterType,
} from './protocol/typed-parameters.ts';
