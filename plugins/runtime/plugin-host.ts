/** The plugins of one process: what they contribute, which handlers they bound, how they are. */
import type { PluginEventName } from '../../workflows/contract/event.ts';
import type { ExtensionPoint } from './extension-points.ts';
import type { HostedPlugin } from './hosted-plugin.ts';
import type { PluginProcess } from './plugin.ts';
import type { PluginReport } from './plugin-report.ts';
import type { HandlerDescriptor } from './registrations.ts';
import type { HandlerCall, HandlerOutcome } from './run-bound-handler.ts';

export interface Contributed<Contribution> {
  readonly pluginId: string;
  readonly contribution: Contribution;
}

export interface RunHandler extends HandlerCall {
  readonly pluginId: string;
}

/** Made by `loadPlugins`. */
export class PluginHost {
  readonly #process: PluginProcess;
  readonly #plugins: readonly HostedPlugin[];

  /** @param plugins each after those that it depends on */
  constructor(process: PluginProcess, plugins: readonly HostedPlugin[]) {
    this.#process = process;
    this.#plugins = plugins;
  }

  /** What the plugins put into an extension point of this process, dependencies first. */
  contributions<Contribution>(point: ExtensionPoint<Contribution>): readonly Contributed<Contribution>[] {
    if (point.process !== this.#process) {
      throw new Error(`Extension point ${point.id} belongs to the ${point.process} process; this is the ${this.#process} process.`);
    }
    return this.#plugins.flatMap((plugin) =>
      plugin.contributions
        .filter((registered) => registered.point.id === point.id)
        // `contribute` takes nothing but a contribution of the point's own type.
        .map(({ contribution }) => ({ pluginId: plugin.id, contribution: contribution as Contribution })),
    );
  }

  /** Who wants to know of an event, in the order in which to call them. Empty in the API: handlers belong to the worker. */
  handlersOf(event: PluginEventName): readonly HandlerDescriptor[] {
    return this.#plugins.flatMap((plugin) =>
      plugin.handlers
        .filter((bound) => bound.event === event)
        .map(({ pluginId, handler, blocking, timeoutMs, attempts }) => ({ pluginId, handler, blocking, timeoutMs, attempts })),
    );
  }

  /**
   * Runs one handler. A plugin or handler that is not there (any more) is skipped, so that a workflow which began with
   * another set of plugins goes on.
   * @throws what the handler throws, or that its time was up
   */
  async runHandler({ pluginId, ...call }: RunHandler): Promise<HandlerOutcome> {
    const plugin = this.#plugins.find((candidate) => candidate.id === pluginId);
    return plugin === undefined ? { skipped: `There is no plugin "${pluginId}" in this process now.` } : plugin.runHandler(call);
  }

  /** How every configured plugin is, in the order in which they start. Never rejects. */
  async report(): Promise<PluginReport[]> {
    return Promise.all(this.#plugins.map((plugin) => plugin.report()));
  }

  /** Stops what was started, dependents first. Never rejects; each plugin has its time limit. */
  async stop(): Promise<void> {
    for (const plugin of this.#plugins.toReversed()) await plugin.stop();
  }
}
