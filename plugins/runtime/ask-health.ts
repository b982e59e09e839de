/** Asks a plugin how it is, without trusting it to answer. */
import { messageOf, withDeadline } from './deadline.ts';
import type { LifecycleHooks, PluginHealth } from './plugin.ts';

function readHealth(answer: unknown): PluginHealth {
  if (typeof answer === 'object' && answer !== null && 'state' in answer) {
    if (answer.state === 'healthy') return { state: 'healthy' };
    if (answer.state === 'degraded' && 'detail' in answer) return { state: 'degraded', detail: String(answer.detail) };
  }
  return { state: 'degraded', detail: 'Its health check gave no answer that this cloudlet understands.' };
}

/** Never rejects: a health check that throws, hangs or answers nonsense is itself a fault of the plugin. */
export async function askHealth(lifecycle: LifecycleHooks, timeoutMs: number): Promise<PluginHealth> {
  if (lifecycle.health === undefined) return { state: 'healthy' };
  try {
    return readHealth(await withDeadline(() => lifecycle.health?.(), { timeoutMs, message: `no answer within ${timeoutMs / 1000} s` }));
  } catch (error) {
    return { state: 'degraded', detail: `Its health check failed: ${messageOf(error)}` };
  }
}
