/** Events: what happened, in an append-only table. Plugins handle some, clients watch them over SSE. */

/** Events that a plugin can handle; each names the extension's payload below. */
export interface PluginEvents {
  'serviceVm.provisioning': { readonly serviceVmId: string; readonly serviceId: string; readonly hostId: string };
  'serviceVm.ready': { readonly serviceVmId: string; readonly serviceId: string; readonly hostId: string };
  'serviceVm.stopping': { readonly serviceVmId: string; readonly serviceId: string; readonly hostId: string };
  'serviceVm.stopped': { readonly serviceVmId: string; readonly serviceId: string; readonly reason: string };
  'serviceVm.failed': { readonly serviceVmId: string; readonly serviceId: string; readonly code: string; readonly detail: string };
  'service.published': { readonly serviceId: string; readonly version: number };
  'service.removed': { readonly serviceId: string };
  'app.published': { readonly appId: string; readonly name: string };
  'host.up': { readonly hostId: string };
  'host.down': { readonly hostId: string };
}
export type PluginEventName = keyof PluginEvents;

/** All of them; a name that is missing here does not compile. */
const everyEvent: Readonly<Record<PluginEventName, true>> = {
  'serviceVm.provisioning': true,
  'serviceVm.ready': true,
  'serviceVm.stopping': true,
  'serviceVm.stopped': true,
  'serviceVm.failed': true,
  'service.published': true,
  'service.removed': true,
  'app.published': true,
  'host.up': true,
  'host.down': true,
};
export const pluginEventNames = Object.keys(everyEvent) as readonly PluginEventName[];

/** A blocking handler may veto or add data; a notifying one is told, and cannot hold anything up for good. */
export const blockingEvents = ['serviceVm.provisioning'] as const satisfies readonly PluginEventName[];
export const isBlockingEvent = (name: PluginEventName): boolean => (blockingEvents as readonly string[]).includes(name);

/** Who may see an event of the append-only table: everybody, or admins and those who own its subject. */
export type EventAudience = 'public' | 'owner';
