import { log } from '@temporalio/workflow';
import { handlerActivities, records } from './activities.ts';
import { describeFailure } from './contract/failure.ts';
import type { PluginEventName, PluginEvents } from './contract/event.ts';
import { applicationFailure } from './failures.ts';

/**
 * Tells plugins of an event: each handler runs as an activity of this workflow. Blocking handlers run first, one after
 * the other, and the first that fails vetoes; notifying ones run together and what they throw is only recorded.
 * @param listened events that some plugin listens to; for others nothing is done at all
 */
export async function raiseEvent<Name extends PluginEventName>(
  listened: readonly PluginEventName[],
  event: Name,
  payload: PluginEvents[Name],
): Promise<void> {
  if (!listened.includes(event)) return;
  const handlers = await records.handlersOf({ event });
  const run = ({ pluginId, handler, timeoutMs, attempts }: (typeof handlers)[number]) =>
    handlerActivities({ pluginId, timeoutMs, attempts }).runHandler({ pluginId, handler, event, payload });

  for (const handler of handlers.filter(({ blocking }) => blocking)) {
    try {
      await run(handler);
    } catch (error) {
      const failure = describeFailure(error);
      throw applicationFailure({ ...failure, detail: `The plugin ${handler.pluginId} refused: ${failure.detail}` });
    }
  }
  const notified = handlers.filter(({ blocking }) => !blocking);
  await Promise.all(
    notified.map((handler) =>
      run(handler).catch((error: unknown) => log.warn('A plugin failed to handle an event', { plugin: handler.pluginId, event, error })),
    ),
  );
}
