import { Context } from '@temporalio/activity';
import type { Handlers } from '../../activities/store/record-activities.ts';
import { PluginReport } from '../../activities/store/entities/plugin-report.ts';
import type { Store } from '../../activities/store/store.ts';
import type { PluginHost } from '../../plugins/runtime/plugin-host.ts';
import type { CloudletActivities } from '../../workflows/contract/activities.ts';
import { pluginEventNames } from '../../workflows/contract/event.ts';

/** The handlers that plugins bound, as workflows ask for them. */
export const eventHandlers = (plugins: PluginHost): Handlers => ({
  listened: () => pluginEventNames.filter((event) => plugins.handlersOf(event).length > 0),
  handlersOf: (event) => plugins.handlersOf(event),
});

/** The one activity that runs them all. */
export const runHandlerActivity = (plugins: PluginHost): CloudletActivities => ({
  runHandler: (call) => plugins.runHandler({ ...call, signal: Context.current().cancellationSignal }),
});

/** Writes down how the worker's plugins are, so that the API can show the whole node. */
export async function reportPlugins(store: Store, plugins: PluginHost): Promise<void> {
  const report = await plugins.report();
  await store.fork().upsert(PluginReport, { process: 'worker', report, updatedAt: new Date() });
}
