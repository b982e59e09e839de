import { ActivityCancellationType, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type {
  AppActivities,
  AppRecordActivities,
  BuildRecordActivities,
  CloudletActivities,
  HostActivities,
  RecordActivities,
  ServiceRecordActivities,
  PoolRecordActivities,
  RefreshRecordActivities,
  VerificationRecordActivities,
} from './contract/activities.ts';
import type { BundleRecordActivities } from './contract/bundle.ts';
import { cloudletTaskQueue, hostTaskQueue } from './contract/ids.ts';
import { msPerMinute } from './contract/units.ts';

/**
 * The database's side of a workflow. Retried until the database is back: the work outlives its restarts. What is wrong
 * for good is thrown as a failure that is not retried.
 */
export const records = proxyLocalActivities<
  RecordActivities &
    RefreshRecordActivities &
    BuildRecordActivities &
    BundleRecordActivities &
    ServiceRecordActivities &
    PoolRecordActivities &
    VerificationRecordActivities &
    AppRecordActivities
>({
  startToCloseTimeout: '20s',
  retry: { initialInterval: '200ms', maximumInterval: '5s' },
});

/** How long a host's worker may be silent before somebody else takes over: a killed worker is noticed by this alone. */
const heartbeatTimeout = '5s';

/** Steps forward: tried a few times, then the operation is undone. */
export const onHost = (hostId: string, startToCloseTimeoutMs: number = 5 * msPerMinute) =>
  proxyActivities<HostActivities>({
    taskQueue: hostTaskQueue(hostId),
    startToCloseTimeout: startToCloseTimeoutMs,
    heartbeatTimeout,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s', maximumAttempts: 5 },
  });

/** Undos: tried until they succeed. */
export const onHostUntilDone = (hostId: string) =>
  proxyActivities<HostActivities>({
    taskQueue: hostTaskQueue(hostId),
    startToCloseTimeout: '2m',
    heartbeatTimeout,
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
  });

/** Files of apps: steps forward, then undos. */
export const apps = proxyActivities<AppActivities>({
  taskQueue: cloudletTaskQueue,
  startToCloseTimeout: '30m',
  heartbeatTimeout,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s', maximumAttempts: 5 },
});
export const appsUntilDone = proxyActivities<AppActivities>({
  taskQueue: cloudletTaskQueue,
  startToCloseTimeout: '2m',
  heartbeatTimeout,
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
});

/** A plugin's handler. It does not say that it lives, so nothing that is cancelled waits for it. */
export const handlerActivities = (policy: { pluginId: string; timeoutMs: number; attempts: number }) =>
  proxyActivities<CloudletActivities>({
    taskQueue: cloudletTaskQueue,
    startToCloseTimeout: policy.timeoutMs,
    cancellationType: ActivityCancellationType.TRY_CANCEL,
    summary: `plugin ${policy.pluginId}`,
    retry: { initialInterval: '500ms', maximumAttempts: policy.attempts },
  });
