/**
 * Every procedure this package can call, by name: number, arguments, reply. A new one is one line.
 *
 * Names are those of `remote_protocol.x` and `qemu_protocol.x` (libvirt 9.0) in camel case, fields come in its order, and the
 * list limits are its `REMOTE_*_MAX`. `long` marks what waits for QEMU, a disk, another host or somebody at the other end of a FIFO.
 */
import { array, bool, characters, hyper, int, opaque, optional, string, struct, uhyper, uint, uuid, type ValueOf } from '../xdr/codec.ts';
import { autodestroying, long, qemu, remote, streaming, type Procedure } from './procedure.ts';
import { domain, network, networkFilter, snapshot, storagePool, storageVolume } from './references.ts';
import { typedParameters } from './typed-parameters.ts';

const flags = uint;
const xml = string;
const statistic = struct({ field: string, value: uhyper });
const address = struct({ type: int, address: string, prefix: uint });
const networkInterface = struct({ name: string, hardwareAddress: optional(string), addresses: array(address, 2048) });
const migrationCookie = opaque(4_194_304);

export const procedures = {
  // The connection
  authList: remote(66, {}, { types: array(int, 20) }),
  connectOpen: remote(1, { name: optional(string), flags }),
  connectClose: remote(2, {}),
  connectSupportsFeature: remote(60, { feature: int }, { supported: bool }),
  connectGetType: remote(3, {}, { type: string }),
  connectGetVersion: remote(4, {}, { version: uhyper }),
  connectGetLibVersion: remote(157, {}, { version: uhyper }),
  connectGetUri: remote(110, {}, { uri: string }),
  connectDomainEventCallbackRegisterAny: remote(316, { eventId: int, domain: optional(domain) }, { callbackId: int }),
  connectDomainEventCallbackDeregisterAny: remote(317, { callbackId: int }),

  // The host
  connectGetHostname: remote(59, {}, { hostname: string }),
  connectGetSysinfo: remote(203, { flags }, { xml }),
  connectGetMaxVcpus: remote(5, { type: optional(string) }, { max: int }),
  connectGetCapabilities: long(remote(7, {}, { xml })),
  connectGetDomainCapabilities: long(
    remote(
      342,
      { emulator: optional(string), arch: optional(string), machine: optional(string), virtType: optional(string), flags },
      { xml },
    ),
  ),
  nodeGetInfo: remote(
    6,
    {},
    {
      model: characters(32),
      memoryKib: uhyper,
      cpus: int,
      mhz: int,
      nodes: int,
      sockets: int,
      cores: int,
      threads: int,
    },
  ),
  nodeGetFreeMemory: remote(102, {}, { bytes: uhyper }),
  nodeGetCellsFreeMemory: remote(101, { startCell: int, maxCells: int }, { bytes: array(uhyper, 1024) }),
  nodeGetMemoryStats: remote(228, { maxStatistics: int, cell: int, flags }, { statistics: array(statistic, 16), count: int }),
  nodeGetCpuStats: remote(227, { cpu: int, maxStatistics: int, flags }, { statistics: array(statistic, 16), count: int }),
  connectCompareCpu: remote(158, { xml, flags }, { result: int }),
  connectBaselineCpu: remote(162, { cpus: array(xml, 256), flags }, { cpu: xml }),
  connectCompareHypervisorCpu: long(
    remote(
      393,
      { emulator: optional(string), arch: optional(string), machine: optional(string), virtType: optional(string), cpu: xml, flags },
      { result: int },
    ),
  ),
  connectBaselineHypervisorCpu: long(
    remote(
      394,
      {
        emulator: optional(string),
        arch: optional(string),
        machine: optional(string),
        virtType: optional(string),
        cpus: array(xml, 256),
        flags,
      },
      { cpu: xml },
    ),
  ),
  connectGetCpuModelNames: remote(312, { arch: string, needResults: int, flags }, { models: array(string, 8192), count: int }),

  // Domains: find, make, end
  connectListAllDomains: remote(273, { needResults: int, flags }, { domains: array(domain, 16_384), count: uint }),
  domainLookupById: remote(22, { id: int }, { domain }),
  domainLookupByUuid: remote(24, { uuid }, { domain }),
  domainLookupByName: remote(23, { name: string }, { domain }),
  domainCreateXml: autodestroying(long(remote(10, { xml, flags }, { domain }))),
  domainDefineXmlFlags: remote(350, { xml, flags }, { domain }),
  domainCreateWithFlags: autodestroying(long(remote(196, { domain, flags }, { domain }))),
  domainUndefineFlags: remote(231, { domain, flags }),
  domainShutdownFlags: remote(258, { domain, flags }),
  domainReboot: remote(27, { domain, flags }),
  domainReset: remote(245, { domain, flags }),
  domainDestroyFlags: remote(234, { domain, flags }),
  domainSuspend: remote(34, { domain }),
  domainResume: remote(28, { domain }),
  domainRename: remote(358, { domain, name: optional(string), flags }, { result: int }),

  // Domains: what they are
  domainGetState: remote(212, { domain, flags }, { state: int, reason: int }),
  domainGetInfo: remote(16, { domain }, { state: uint, maxMemoryKib: uhyper, memoryKib: uhyper, vcpus: uint, cpuTimeNs: uhyper }),
  domainGetXmlDesc: remote(14, { domain, flags }, { xml }),
  domainIsActive: remote(150, { domain }, { active: bool }),
  domainIsPersistent: remote(151, { domain }, { persistent: bool }),
  domainGetAutostart: remote(15, { domain }, { autostart: bool }),
  domainSetAutostart: remote(29, { domain, autostart: bool }),
  domainGetMetadata: remote(265, { domain, type: int, uri: optional(string), flags }, { metadata: string }),
  domainSetMetadata: remote(264, { domain, type: int, metadata: optional(string), key: optional(string), uri: optional(string), flags }),
  domainAttachDeviceFlags: long(remote(160, { domain, xml, flags })),
  domainDetachDeviceFlags: long(remote(161, { domain, xml, flags })),
  domainUpdateDeviceFlags: long(remote(174, { domain, xml, flags })),
  domainSetMemoryFlags: long(remote(204, { domain, memoryKib: uhyper, flags })),
  domainSetVcpusFlags: long(remote(199, { domain, vcpus: uint, flags })),

  // Domains: memory to a file and back
  domainSaveFlags: long(remote(232, { domain, file: string, xml: optional(xml), flags })),
  domainSaveParams: long(remote(440, { domain, parameters: typedParameters(64), flags })),
  domainRestoreFlags: long(remote(233, { file: string, xml: optional(xml), flags })),
  domainRestoreParams: long(remote(441, { parameters: typedParameters(64), flags })),
  domainSaveImageGetXmlDesc: remote(235, { file: string, flags }, { xml }),
  domainSaveImageDefineXml: remote(236, { file: string, xml, flags }),
  domainManagedSave: long(remote(182, { domain, flags })),
  domainHasManagedSaveImage: remote(183, { domain, flags }, { result: bool }),
  domainManagedSaveRemove: remote(184, { domain, flags }),
  domainManagedSaveGetXmlDesc: remote(388, { domain, flags }, { xml }),
  domainManagedSaveDefineXml: remote(389, { domain, xml: optional(xml), flags }),
  domainCoreDumpWithFormat: long(remote(334, { domain, file: string, format: uint, flags })),

  // Domains: jobs and migration
  domainGetJobInfo: remote(
    163,
    { domain },
    {
      type: int,
      timeElapsedMs: uhyper,
      timeRemainingMs: uhyper,
      dataTotal: uhyper,
      dataProcessed: uhyper,
      dataRemaining: uhyper,
      memoryTotal: uhyper,
      memoryProcessed: uhyper,
      memoryRemaining: uhyper,
      fileTotal: uhyper,
      fileProcessed: uhyper,
      fileRemaining: uhyper,
    },
  ),
  domainGetJobStats: remote(298, { domain, flags }, { type: int, parameters: typedParameters(64) }),
  domainAbortJob: remote(164, { domain }),
  domainAbortJobFlags: remote(442, { domain, flags }),
  domainMigratePerform3Params: long(
    remote(
      305,
      { domain, destinationUri: optional(string), parameters: typedParameters(64), cookie: migrationCookie, flags },
      { cookie: migrationCookie },
    ),
  ),
  domainMigrateGetMaxDowntime: remote(387, { domain, flags }, { downtimeMs: uhyper }),
  domainMigrateSetMaxDowntime: remote(166, { domain, downtimeMs: uhyper, flags }),
  domainMigrateGetMaxSpeed: remote(242, { domain, flags }, { mibPerSecond: uhyper }),
  domainMigrateSetMaxSpeed: remote(207, { domain, mibPerSecond: uhyper, flags }),
  domainMigrateStartPostCopy: remote(364, { domain, flags }),

  // Domains: counters and addresses
  domainMemoryStats: remote(159, { domain, maxStatistics: uint, flags }, { statistics: array(struct({ tag: int, value: uhyper }), 1024) }),
  domainBlockStats: remote(
    64,
    { domain, device: string },
    { readRequests: hyper, readBytes: hyper, writeRequests: hyper, writeBytes: hyper, errors: hyper },
  ),
  domainBlockStatsFlags: remote(
    243,
    { domain, device: string, maxParameters: int, flags },
    { parameters: typedParameters(16), count: int },
  ),
  domainGetBlockInfo: remote(194, { domain, device: string, flags }, { allocation: uhyper, capacity: uhyper, physical: uhyper }),
  domainInterfaceStats: remote(
    65,
    { domain, device: string },
    {
      receivedBytes: hyper,
      receivedPackets: hyper,
      receiveErrors: hyper,
      receiveDrops: hyper,
      sentBytes: hyper,
      sentPackets: hyper,
      sendErrors: hyper,
      sendDrops: hyper,
    },
  ),
  domainInterfaceAddresses: long(remote(353, { domain, source: uint, flags }, { interfaces: array(networkInterface, 2048) })),
  domainGetCpuStats: remote(
    262,
    { domain, maxParameters: uint, startCpu: int, cpus: uint, flags },
    { parameters: typedParameters(2048), count: int },
  ),
  connectGetAllDomainStats: long(
    remote(
      344,
      { domains: array(domain, 16_384), statistics: uint, flags },
      { records: array(struct({ domain, parameters: typedParameters(262_144) }), 16_384) },
    ),
  ),

  // Domains: block jobs
  domainBlockResize: long(remote(251, { domain, device: string, size: uhyper, flags })),
  domainBlockPull: long(remote(240, { domain, device: string, bandwidth: uhyper, flags })),
  domainBlockCopy: long(remote(345, { domain, device: string, destinationXml: xml, parameters: typedParameters(16), flags })),
  domainBlockCommit: long(remote(290, { domain, device: string, base: optional(string), top: optional(string), bandwidth: uhyper, flags })),
  domainBlockJobAbort: long(remote(237, { domain, device: string, flags })),
  domainGetBlockJobInfo: remote(
    238,
    { domain, device: string, flags },
    { found: bool, type: int, bandwidth: uhyper, current: uhyper, end: uhyper },
  ),

  // Domains: streams, QEMU and its guest agent
  domainOpenConsole: streaming('both', remote(201, { domain, device: optional(string), flags })),
  domainOpenChannel: streaming('both', remote(296, { domain, channel: optional(string), flags })),
  domainScreenshot: streaming('read', remote(211, { domain, screen: uint, flags }, { mimeType: optional(string) })),
  qemuDomainMonitorCommand: qemu(1, { domain, command: string, flags }, { result: string }),
  qemuDomainAgentCommand: long(qemu(3, { domain, command: string, timeoutSeconds: int, flags }, { result: optional(string) })),

  // Snapshots
  domainSnapshotCreateXml: long(remote(185, { domain, xml, flags }, { snapshot })),
  domainListAllSnapshots: remote(274, { domain, needResults: int, flags }, { snapshots: array(snapshot, 16_384), count: int }),
  domainSnapshotLookupByName: remote(189, { domain, name: string, flags }, { snapshot }),
  domainSnapshotCurrent: remote(191, { domain, flags }, { snapshot }),
  domainHasCurrentSnapshot: remote(190, { domain, flags }, { result: bool }),
  domainSnapshotGetXmlDesc: remote(186, { snapshot, flags }, { xml }),
  domainSnapshotGetParent: remote(244, { snapshot, flags }, { snapshot }),
  domainRevertToSnapshot: long(remote(192, { snapshot, flags })),
  domainSnapshotDelete: long(remote(193, { snapshot, flags })),

  // Storage pools
  connectListAllStoragePools: remote(281, { needResults: int, flags }, { pools: array(storagePool, 16_384), count: uint }),
  storagePoolLookupByName: remote(84, { name: string }, { pool: storagePool }),
  storagePoolLookupByUuid: remote(85, { uuid }, { pool: storagePool }),
  storagePoolLookupByVolume: remote(86, { volume: storageVolume }, { pool: storagePool }),
  storagePoolLookupByTargetPath: remote(391, { path: string }, { pool: storagePool }),
  storagePoolCreateXml: long(remote(76, { xml, flags }, { pool: storagePool })),
  storagePoolDefineXml: remote(77, { xml, flags }, { pool: storagePool }),
  storagePoolCreate: long(remote(78, { pool: storagePool, flags })),
  storagePoolBuild: long(remote(79, { pool: storagePool, flags })),
  storagePoolDestroy: remote(80, { pool: storagePool }),
  storagePoolDelete: long(remote(81, { pool: storagePool, flags })),
  storagePoolUndefine: remote(82, { pool: storagePool }),
  storagePoolRefresh: long(remote(83, { pool: storagePool, flags })),
  storagePoolGetInfo: remote(87, { pool: storagePool }, { state: uint, capacity: uhyper, allocation: uhyper, available: uhyper }),
  storagePoolGetXmlDesc: remote(88, { pool: storagePool, flags }, { xml }),
  storagePoolGetAutostart: remote(89, { pool: storagePool }, { autostart: bool }),
  storagePoolSetAutostart: remote(90, { pool: storagePool, autostart: bool }),
  storagePoolIsActive: remote(154, { pool: storagePool }, { active: bool }),
  storagePoolIsPersistent: remote(155, { pool: storagePool }, { persistent: bool }),
  storagePoolListAllVolumes: remote(
    282,
    { pool: storagePool, needResults: int, flags },
    { volumes: array(storageVolume, 16_384), count: uint },
  ),

  // Storage volumes
  storageVolCreateXml: long(remote(93, { pool: storagePool, xml, flags }, { volume: storageVolume })),
  storageVolCreateXmlFrom: long(remote(125, { pool: storagePool, xml, source: storageVolume, flags }, { volume: storageVolume })),
  storageVolLookupByName: remote(95, { pool: storagePool, name: string }, { volume: storageVolume }),
  storageVolLookupByKey: remote(96, { key: string }, { volume: storageVolume }),
  storageVolLookupByPath: remote(97, { path: string }, { volume: storageVolume }),
  storageVolDelete: long(remote(94, { volume: storageVolume, flags })),
  storageVolWipe: long(remote(165, { volume: storageVolume, flags })),
  storageVolGetInfo: remote(98, { volume: storageVolume }, { type: int, capacity: uhyper, allocation: uhyper }),
  storageVolGetXmlDesc: remote(99, { volume: storageVolume, flags }, { xml }),
  storageVolGetPath: remote(100, { volume: storageVolume }, { path: string }),
  storageVolResize: long(remote(260, { volume: storageVolume, capacity: uhyper, flags })),
  storageVolUpload: streaming('write', remote(208, { volume: storageVolume, offset: uhyper, length: uhyper, flags })),
  storageVolDownload: streaming('read', remote(209, { volume: storageVolume, offset: uhyper, length: uhyper, flags })),

  // Networks and network filters
  connectListAllNetworks: remote(283, { needResults: int, flags }, { networks: array(network, 16_384), count: uint }),
  networkLookupByName: remote(46, { name: string }, { network }),
  networkLookupByUuid: remote(47, { uuid }, { network }),
  networkCreateXml: long(remote(40, { xml }, { network })),
  networkDefineXml: remote(41, { xml }, { network }),
  networkCreate: long(remote(39, { network })),
  networkDestroy: remote(42, { network }),
  networkUndefine: remote(49, { network }),
  networkGetXmlDesc: remote(43, { network, flags }, { xml }),
  networkGetBridgeName: remote(45, { network }, { name: string }),
  networkIsActive: remote(152, { network }, { active: bool }),
  networkIsPersistent: remote(153, { network }, { persistent: bool }),
  networkGetAutostart: remote(44, { network }, { autostart: bool }),
  networkSetAutostart: remote(48, { network, autostart: bool }),
  connectListAllNwfilters: remote(286, { needResults: int, flags }, { filters: array(networkFilter, 16_384), count: uint }),
  nwfilterLookupByName: remote(175, { name: string }, { filter: networkFilter }),
  nwfilterLookupByUuid: remote(176, { uuid }, { filter: networkFilter }),
  nwfilterDefineXml: remote(180, { xml }, { filter: networkFilter }),
  nwfilterUndefine: remote(181, { filter: networkFilter }),
  nwfilterGetXmlDesc: remote(177, { filter: networkFilter, flags }, { xml }),
} as const;

export type Procedures = typeof procedures;
export type ProcedureName = keyof Procedures;
/** Names of the procedures whose reply is followed by a stream. */
export type StreamName = { [N in ProcedureName]: Procedures[N]['stream'] extends string ? N : never }[ProcedureName];
export type Arguments<N extends ProcedureName> = ValueOf<Procedures[N]['args']>;
export type Reply<N extends ProcedureName> = ValueOf<Procedures[N]['reply']>;
export type AnyProcedure = Procedure<unknown, unknown>;
