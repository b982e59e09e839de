import { isCancellation, log } from '@temporalio/workflow';
import { handlerActivities, records } from './activities.ts';
import type { BoundHandler } from './contract/activities.ts';
import { isBlockingEvent, type PluginEventName, type PluginEvents } from './contract/event.ts';
import { describeFailure } from './contract/failure.ts';
import { applicationFailure } from './failures.ts';

/**
 * Tells plugins of an event: each handler runs as an activity of this workflow. Blocking handlers run one after the
 * other, and the first that fails vetoes; notifying ones run together, and whatever goes wrong with them is only recorded.
 * @param listened events that some plugin listens to; for others nothing is done at all
 * @throws ApplicationFailure of the veto; never where the event's handlers are notified only
 */
export async function raiseEvent<Name extends PluginEventName>(
  listened: readonly PluginEventName[],
  event: Name,
  payload: PluginEvents[Name],
): Promise<void> {
  if (!listened.includes(event)) return;
  const run = ({ pluginId, handler, timeoutMs, attempts }: BoundHandler) =>
    handlerActivities({ pluginId, timeoutMs, attempts }).runHandler({ pluginId, handler, event, payload });

  if (isBlockingEvent(event)) {
    for (const handler of await records.handlersOf({ event })) await orVeto(handler.pluginId, run(handler));
    return;
  }
  const unheard = (error: unknown) => log.warn('A plugin was not told of an event, or failed to handle it', { event, error });
  const handlers = await records.handlersOf({ event }).catch(unheard);
  await Promise.all((handlers ?? []).map((handler) => run(handler).catch(unheard)));
}

async function orVeto(pluginId: string, handled: Promise<unknown>): Promise<void> {
  try {
    await handled;
  } catch (error) {
    if (isCancellation(error)) throw error;
    const failure = describeFailure(error);
    throw applicationFailure({ ...failure, detail: `The plugin ${pluginId} refused: ${failure.detail}` });
  }
}
