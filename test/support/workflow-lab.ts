/**
 * Workflows at work: the real Temporal, database, bundle, interceptors and record activities, on the queues of
 * production, over a scripted host on which faults can be planted.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import type { ReconcileContext } from '../../activities/hypervisor/reconcile-activities.ts';
import type { WarmContext } from '../../activities/hypervisor/warm-activities.ts';
import { hostPaths } from '../../activities/images/host-paths.ts';
import { createAppActivities } from '../../activities/apps/app-activities.ts';
import { createAppRecordActivities } from '../../activities/store/apps.ts';
import { createBuildRecordActivities } from '../../activities/store/builds.ts';
import { createBundleRecordActivities } from '../../activities/store/bundles.ts';
import { recordHost } from '../../activities/store/hosts.ts';
import { createPoolRecordActivities } from '../../activities/store/pool.ts';
import { createVerificationActivities } from '../../activities/store/image-verification.ts';
import { createRecordActivities } from '../../activities/store/record-activities.ts';
import { createRefreshActivities } from '../../activities/store/refreshes.ts';
import { openStore, type Store } from '../../activities/store/store.ts';
import { createTrashActivities } from '../../activities/store/trash.ts';
import { loadFakes } from '../../plugins/runtime/test-support/fake-plugins.ts';
import type { Plugin } from '../../plugins/runtime/plugin.ts';
import { ServiceVmStarter } from '../../temporal/client/service-vm-starter.ts';
import { isWorkflowOpen, workflowSignals } from '../../temporal/client/workflow-directory.ts';
import { checkoutDir } from '../../temporal/config/load-config.ts';
import { createLog } from '../../temporal/log.ts';
import { activityInterceptor } from '../../temporal/worker/activity-interceptor.ts';
import { eventHandlers, runHandlerActivity } from '../../temporal/worker/event-handlers.ts';
import { temporalLogger } from '../../temporal/worker/temporal-logger.ts';
import { workflowBundle } from '../../temporal/worker/workflow-bundle.ts';
import type { BuildRecordActivities, PoolRecordActivities, RefreshRecordActivities } from '../../workflows/contract/activities.ts';
import {
  buildServiceImageWorkflowId,
  cloudletTaskQueue,
  hostTaskQueue,
  serviceVmWorkflowId,
  refreshSavedStateWorkflowId,
} from '../../workflows/contract/ids.ts';
import { msPerHour } from '../../workflows/contract/units.ts';
import { startTestParts, type TestParts } from './local-parts.ts';
import { FaultPlans } from './workflow-faults.ts';
import { beatMs, ScriptedHost, scriptedFingerprint } from './workflow-host.ts';

/** The same on every machine, so that recorded histories name none. */
const identity = 'cloudlet-test';

export interface WorkflowLab extends Pick<ReconcileContext, 'store' | 'paths' | 'hostId' | 'portRange'> {
  readonly parts: TestParts;
  readonly client: Client;
  readonly host: ScriptedHost;
  readonly faults: FaultPlans;
  /** What a host tells workflows. */
  readonly signals: ReturnType<typeof workflowSignals>;
  /** One as each API process has it. */
  newStarter(): ServiceVmStarter;
  close(): Promise<void>;
}

/** @param plugins of the worker */
export async function openWorkflowLab({ plugins = [] }: { readonly plugins?: readonly Plugin[] } = {}): Promise<WorkflowLab> {
  const parts = await startTestParts({ parts: ['postgres', 'temporal'] });
  const { databaseUrl, temporalAddress } = parts.facts as { databaseUrl: string; temporalAddress: string };
  const { temporalNamespace: namespace, guestPorts: portRange } = parts.config;
  const log = createLog('test', 'silent');
  const store = await openStore({ databaseUrl, poolSize: 20 });
  // A history that was made long on purpose does not fit into a message of the usual size.
  const channelArgs = { 'grpc.max_receive_message_length': -1 };
  const client = new Client({ connection: await Connection.connect({ address: temporalAddress, channelArgs }), namespace, identity });
  const pluginHost = await loadFakes(plugins, { process: 'worker' });
  const host = new ScriptedHost();
  const faults = new FaultPlans();
  const signals = workflowSignals(client);
  const context: ReconcileContext & WarmContext = {
    hostId: randomUUID(),
    cloudletId: randomUUID(),
    domainPrefix: 'cloudlet-test-',
    portRange,
    paths: hostPaths(parts.dataDir.root),
    store,
    hypervisor: host.hypervisor,
    catalogue: () => undefined,
    signals,
    isOpen: (workflowId) => isWorkflowOpen(client, workflowId),
  };
  await recordHostAsUp(store, context.hostId);

  Runtime.install({
    logger: temporalLogger(log),
    shutdownSignals: [],
    telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' } } },
  });
  const connection = await NativeConnection.connect({ address: temporalAddress });
  const common: Omit<WorkerOptions, 'taskQueue'> = {
    connection,
    namespace,
    identity,
    interceptors: { activity: [activityInterceptor(store, log), faults.interceptor] },
    // Cancellation travels with heartbeats.
    maxHeartbeatThrottleInterval: beatMs,
    // A test that failed may have left a call that hangs.
    shutdownForceTime: '5s',
  };
  const workers = await Promise.all([
    Worker.create({
      ...common,
      taskQueue: cloudletTaskQueue,
      workflowBundle: await workflowBundle(join(checkoutDir, '.cloudlet', 'cache')),
      activities: {
        ...createRecordActivities({ store, portRange, handlers: eventHandlers(pluginHost) }),
        ...createVerificationActivities({ store }),
        ...createBundleRecordActivities({ store, bundleHoldMs: msPerHour }),
        ...withRefreshesCounted(createRefreshActivities({ store }), faults),
        ...createTrashActivities({ store, trashHoldMs: msPerHour }),
        ...withChildrenCounted(createBuildRecordActivities({ store }), faults),
        ...withWarmCounted(createPoolRecordActivities({ store }), faults),
        ...createAppRecordActivities({ store }),
        ...createAppActivities(context),
        ...runHandlerActivity(pluginHost),
      },
    }),
    Worker.create({ ...common, taskQueue: hostTaskQueue(context.hostId), activities: { ...host.activities(context) } }),
  ]);
  const running = workers.map((worker) => worker.run());

  return {
    parts,
    store,
    client,
    host,
    faults,
    paths: context.paths,
    hostId: context.hostId,
    portRange,
    signals,
    newStarter: () => new ServiceVmStarter(client),
    async close() {
      for (const worker of workers) worker.shutdown();
      await Promise.all(running);
      await pluginHost.stop();
      await connection.close();
      await client.connection.close();
      await store.close();
      await parts.stop();
    },
  };
}

/** A host with room for everything, whose heartbeat never grows old. */
async function recordHostAsUp(store: Store, hostId: string): Promise<void> {
  const later: Store = { ...store, clock: { ...store.clock, nowMs: () => store.clock.nowMs() + msPerHour } };
  await recordHost(later, hostId, {
    name: identity,
    bootId: store.clock.bootId,
    vcpus: 64,
    memoryMib: 1024 * 1024,
    memoryAvailableMib: 1024 * 1024,
    diskBytes: 2e12,
    diskFreeBytes: 1e12,
    fingerprint: scriptedFingerprint,
    hypervisorProblem: null,
    address: '127.0.0.1',
  });
}

/** Warm instances are part of the pool's operation where a test asks for that. */
const withWarmCounted = (records: PoolRecordActivities, faults: FaultPlans): PoolRecordActivities => ({
  async planPool(input) {
    const plan = await records.planPool(input);
    if (plan.start) faults.began(serviceVmWorkflowId(plan.start.serviceVmId), Context.current().info.workflowExecution!.workflowId);
    return plan;
  },
});

/** So is that of a refresh. */
const withRefreshesCounted = (records: RefreshRecordActivities, faults: FaultPlans): RefreshRecordActivities => ({
  ...records,
  async registerRefresh(input) {
    const build = await records.registerRefresh(input);
    faults.cover(serviceVmWorkflowId(build.serviceVmId), refreshSavedStateWorkflowId(input.serviceId));
    return build;
  },
});

/** The instance of a build is part of it: a fault of one operation may lie in either. */
const withChildrenCounted = (records: BuildRecordActivities, faults: FaultPlans): BuildRecordActivities => ({
  ...records,
  async registerBuild(input) {
    const build = await records.registerBuild(input);
    for (const id of [build.serviceVmId, build.recipeVmId]) {
      if (id !== undefined) faults.cover(serviceVmWorkflowId(id), buildServiceImageWorkflowId(input.spec.serviceId));
    }
    return build;
  },
});
