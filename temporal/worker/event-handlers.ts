import { Context } from '@temporalio/activity';
import type { Handlers } from '../../activities/store/record-activities.ts';
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
