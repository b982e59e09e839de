import type { BoundHandler, RecordActivities } from '../../workflows/contract/activities.ts';
import type { PluginEventName } from '../../workflows/contract/event.ts';
import type { PortRange } from './ports.ts';
import { release, reserve } from './reservation.ts';
import { publishReady, publishRestarting, publishStopping, recordEnd, retireIfUnused } from './service-vms.ts';
import type { Store } from './store.ts';
import { publishWarm } from './warm-service-vms.ts';

/** What a worker knows of the handlers that plugins bound to events. */
export interface Handlers {
  /** Events that some handler is bound to. */
  listened(): readonly PluginEventName[];
  handlersOf(event: PluginEventName): readonly BoundHandler[];
}

export interface RecordContext {
  readonly store: Store;
  readonly portRange: PortRange;
  readonly handlers: Handlers;
}

/** The database's side of `serviceVm`: each one transaction, each the same when repeated. */
export function createRecordActivities({ store, portRange, handlers }: RecordContext): RecordActivities {
  return {
    reserve: async ({ serviceVmId }) => ({ ...(await reserve(store, serviceVmId, portRange)), events: handlers.listened() }),
    release: ({ serviceVmId }) => release(store, serviceVmId),
    publishWarm: (warm) => publishWarm(store, warm),
    publishReady: (ready) => publishReady(store, ready),
    publishRestarting: ({ serviceVmId, restarts, reason }) => publishRestarting(store, serviceVmId, restarts, reason),
    publishStopping: ({ serviceVmId, reason }) => publishStopping(store, serviceVmId, reason),
    retireIfUnused: ({ serviceVmId }) => retireIfUnused(store, serviceVmId),
    recordEnd: ({ serviceVmId, outcome }) => recordEnd(store, serviceVmId, outcome),
    handlersOf: async ({ event }) => handlers.handlersOf(event),
  };
}
