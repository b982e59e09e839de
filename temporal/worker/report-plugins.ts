import { setTimeout as sleep } from 'node:timers/promises';
import { PluginReport } from '../../activities/store/entities/plugin-report.ts';
import type { Store } from '../../activities/store/store.ts';
import type { PluginHost } from '../../plugins/runtime/plugin-host.ts';

const everyMs = 2_000;

/** Writes down how the worker's plugins are, so that the API can show the whole node. @returns what was written */
export async function reportPlugins(store: Store, plugins: PluginHost): Promise<string> {
  const report = await plugins.report();
  await store.fork().upsert(PluginReport, { process: 'worker', report, updatedAt: new Date() });
  return JSON.stringify(report);
}

/** Writes it down again whenever it has changed, e.g. because a handler failed. Never rejects. */
export async function keepReportingPlugins(store: Store, plugins: PluginHost, reported: string, signal: AbortSignal): Promise<void> {
  let last = reported;
  while (!signal.aborted) {
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    if (JSON.stringify(await plugins.report()) === last) continue;
    // A database that is away hears of it in the next round.
    last = await reportPlugins(store, plugins).catch(() => last);
  }
}
