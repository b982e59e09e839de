import { hostname } from 'node:os';
import { join } from 'node:path';
import { NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { createBundleActivities } from '../activities/bundles/bundle-activities.ts';
import { signingKeyPath } from '../activities/bundles/bundle-signature.ts';
import { createGuestActivities } from '../activities/hypervisor/guest-activities.ts';
import { heartbeat, runHostAgent, type HostAgentOptions } from '../activities/hypervisor/host-agent.ts';
import { LibvirtHypervisor } from '../activities/hypervisor/libvirt-hypervisor.ts';
import { createReconcileActivities } from '../activities/hypervisor/reconcile-activities.ts';
import { createWarmActivities } from '../activities/hypervisor/warm-activities.ts';
import { hostPaths } from '../activities/images/host-paths.ts';
import { createImageActivities } from '../activities/images/image-activities.ts';
import { createVerifyActivities } from '../activities/images/verify-image.ts';
import { createAppActivities } from '../activities/apps/app-activities.ts';
import { createAppRecordActivities } from '../activities/store/apps.ts';
import { createBuildRecordActivities } from '../activities/store/builds.ts';
import { createBundleRecordActivities } from '../activities/store/bundles.ts';
import { cloudletIdentity } from '../activities/store/cloudlet.ts';
import { recordHostDown } from '../activities/store/hosts.ts';
import { createPoolRecordActivities } from '../activities/store/pool.ts';
import { createVerificationActivities } from '../activities/store/image-verification.ts';
import { createRecordActivities } from '../activities/store/record-activities.ts';
import { createRefreshActivities } from '../activities/store/refreshes.ts';
import { openStore } from '../activities/store/store.ts';
import { createTrashActivities } from '../activities/store/trash.ts';
import { servicesCatalogue } from '../plugins/runtime/extension-points.ts';
import { loadPlugins } from '../plugins/runtime/load-plugins.ts';
import { cloudletTaskQueue, hostTaskQueue } from '../workflows/contract/ids.ts';
import { msPerHour } from '../workflows/contract/units.ts';
import { activityInterceptor } from './worker/activity-interceptor.ts';
import { buildCatalogue } from './worker/build-catalogue.ts';
import { connectTemporal, prepareNamespace } from './client/connect.ts';
import { eventHandlers, runHandlerActivity } from './worker/event-handlers.ts';
import { hostId } from './worker/host-id.ts';
import { probeAccelerator } from './local/probe-accelerator.ts';
import { createLog } from './log.ts';
import { configuredPlugins, type RunningConfig } from './running-config.ts';
import { keepReportingPlugins, reportPlugins } from './worker/report-plugins.ts';
import { scheduleReconciliation } from './worker/schedule-reconciliation.ts';
import { temporalLogger } from './worker/temporal-logger.ts';
import { workflowBundle } from './worker/workflow-bundle.ts';
import { startFillingPool } from './client/start-filling-pool.ts';
import { isWorkflowOpen, workflowSignals } from './client/workflow-directory.ts';

/** Small: every slot may hold a QEMU start, and libvirt takes few long calls at once. */
const hostActivitySlots = 16;
const shutdownGraceMs = 10_000;

/**
 * Runs the worker of this host: the workflows, the activities, and the host's own agent, until the signal says stop.
 * @param config with the addresses of database, Temporal and libvirt filled in
 * @param onReady called once the worker takes work
 */
export async function runWorker(config: RunningConfig, signal: AbortSignal, onReady: () => void = () => undefined): Promise<void> {
  const log = createLog('worker', config.logLevel);
  const store = await openStore({ databaseUrl: config.databaseUrl });
  const identity = await cloudletIdentity(store, hostname());
  const host = await hostId(config.dataDir);
  const { accelerator } = await probeAccelerator(join(config.dataDir, 'run'));
  const hypervisor = new LibvirtHypervisor({ uri: config.libvirtUri, accelerator });
  const paths = hostPaths(config.dataDir, config.importDir);
  const plugins = await loadPlugins({ configured: configuredPlugins(config), process: 'worker', log });
  const catalogue = plugins.contributions(servicesCatalogue).map(({ contribution }) => contribution);

  Runtime.install({ logger: temporalLogger(log), shutdownSignals: [] });
  const target = { address: config.temporalAddress, namespace: config.temporalNamespace };
  const client = connectTemporal(target);
  await prepareNamespace(client, target.namespace);
  const connection = await NativeConnection.connect({ address: target.address });

  const context: HostAgentOptions = {
    hostId: host,
    cloudletId: identity.id,
    domainPrefix: config.domainPrefix,
    portRange: config.guestPorts,
    paths,
    store,
    hypervisor,
    catalogue: (serviceId) => catalogue.find(({ spec }) => spec.serviceId === serviceId),
    signals: workflowSignals(client),
    fillPool: (hostId) => startFillingPool(client, hostId),
    dataDirectory: config.dataDir,
    networkAdapter: config.networkAdapter,
    memoryMib: config.memoryMib,
    log,
  };
  const bundleRules = {
    policy: config.bundlePolicy,
    trustedPublishers: config.trustedPublishers,
    signingKeyPath: signingKeyPath(config.dataDir),
  };
  const records = {
    ...createRecordActivities({ ...context, handlers: eventHandlers(plugins) }),
    ...createRefreshActivities({ store }),
    ...createBuildRecordActivities(context),
    ...createVerificationActivities({ store }),
    ...createBundleRecordActivities({ store, bundleHoldMs: config.bundleHoldHours * msPerHour }),
    ...createAppRecordActivities(context),
    ...createTrashActivities({ store, trashHoldMs: config.trashHoldHours * msPerHour }),
    ...createPoolRecordActivities(context),
  };
  const common: Omit<WorkerOptions, 'taskQueue'> = {
    connection,
    namespace: target.namespace,
    interceptors: { activity: [activityInterceptor(store, log)] },
    shutdownGraceTime: shutdownGraceMs,
    shutdownForceTime: 2 * shutdownGraceMs,
    // Cancellation travels with heartbeats: seldom ones would make it slow.
    maxHeartbeatThrottleInterval: '1s',
    // So long a workflow waits for the process that knows it before any other takes it up: one that was killed never comes.
    stickyQueueScheduleToStartTimeout: '3s',
  };
  const bundle = await workflowBundle(paths.cache);
  const createWorkers = () =>
    Promise.all([
      Worker.create({
        ...common,
        taskQueue: cloudletTaskQueue,
        workflowBundle: bundle,
        activities: { ...records, ...createAppActivities(context), ...runHandlerActivity(plugins) },
      }),
      Worker.create({
        ...common,
        taskQueue: hostTaskQueue(host),
        maxConcurrentActivityTaskExecutions: hostActivitySlots,
        activities: {
          ...createGuestActivities(context),
          ...createWarmActivities(context),
          ...createImageActivities(context),
          ...createVerifyActivities(context),
          ...createBundleActivities({ ...context, bundles: bundleRules }),
          ...createReconcileActivities({ ...context, isOpen: (workflowId) => isWorkflowOpen(client, workflowId) }),
        },
      }),
    ]);

  const agentDone = new AbortController();
  let workers: Worker[] = [];
  const shutDown = () => workers.forEach((worker) => worker.getState() === 'RUNNING' && worker.shutdown());
  signal.addEventListener('abort', shutDown, { once: true });
  let inBackground: Promise<unknown> = Promise.resolve();
  let running: Promise<void>[] = [];
  try {
    // Before any work is taken: what needs a host finds this one up.
    await heartbeat(context);
    const reported = await reportPlugins(store, plugins);
    inBackground = Promise.all([
      runHostAgent(context, AbortSignal.any([signal, agentDone.signal])),
      keepReportingPlugins(store, plugins, reported, agentDone.signal),
    ]);
    workers = await createWorkers();
    running = workers.map((worker) => worker.run());
    await scheduleReconciliation(client, host);
    await buildCatalogue({ store, client, catalogue, log });
    onReady();
    await Promise.all(running);
  } finally {
    // What failed above is to be told, not that workers still use what is closed below.
    shutDown();
    await Promise.allSettled(running);
    agentDone.abort();
    await inBackground;
    await recordHostDown(store, host).catch(() => undefined);
    await plugins.stop();
    await hypervisor.close();
    await connection.close();
    await client.connection.close();
    await store.close();
  }
}
