/** Brings up the configured plugins of a process. */
import { CloudletError } from '../../workflows/contract/errors.ts';
import { dependencyOrder } from './dependency-order.ts';
import { HostedPlugin, type PluginTimeouts } from './hosted-plugin.ts';
import { importPlugin as importPluginModule, type ConfiguredPlugin } from './import-plugin.ts';
import { PluginHost } from './plugin-host.ts';
import type { PluginLog, PluginProcess } from './plugin.ts';
import { isPluginId } from './read-plugin.ts';

export interface LoadPlugins extends Partial<PluginTimeouts> {
  readonly configured: readonly ConfiguredPlugin[];
  readonly process: PluginProcess;
  readonly log: PluginLog;
  /** How a plugin's module is had; default: from `plugins/<name>`, or from where `module` says. */
  readonly importPlugin?: (configured: ConfiguredPlugin) => Promise<unknown>;
}

const defaultTimeouts: PluginTimeouts = { startTimeoutMs: 10_000, stopTimeoutMs: 5_000, healthTimeoutMs: 1_000 };

/**
 * Imports, checks, registers and starts the configured plugins, each isolated from the others: one that fails is left
 * out together with those that depend on it, and says so in `report()`.
 * @throws CloudletError where the list itself is not valid or a required plugin did not come up; nothing is left running
 */
export async function loadPlugins({
  configured,
  process,
  log,
  importPlugin = importPluginModule,
  ...given
}: LoadPlugins): Promise<PluginHost> {
  assertValidList(configured);
  const timeouts = { ...defaultTimeouts, ...given };
  const plugins = configured.map((entry) => new HostedPlugin(entry, { process, log, timeouts }));
  await Promise.all(plugins.map((plugin) => plugin.load(importPlugin)));

  const ordered = resolveDependencies(plugins);
  for (const plugin of ordered) plugin.register();
  await startInOrder(ordered);

  const host = new PluginHost(process, ordered);
  const refused = ordered.filter((plugin) => plugin.required && plugin.refusal !== undefined);
  if (refused.length > 0) {
    await host.stop();
    throw requiredPluginsFailed(refused);
  }
  return host;
}

function assertValidList(configured: readonly ConfiguredPlugin[]): void {
  const errors = configured.flatMap(({ name }, index) => {
    const pointer = `/${index}/name`;
    if (!isPluginId(name))
      return [{ pointer, message: `"${name}" is no plugin id: lower-case words joined by hyphens, e.g. discovery-avahi` }];
    if (configured.findIndex((other) => other.name === name) < index) return [{ pointer, message: `"${name}" is listed twice` }];
    return [];
  });
  if (errors.length === 0) return;
  const list = errors.map(({ pointer, message }) => `${pointer}: ${message}`).join('; ');
  throw new CloudletError('invalid-input', `The list of plugins is not valid: ${list}.`, { errors });
}

/** Fails those whose dependencies cannot be met. @returns all, each after what it depends on */
function resolveDependencies(plugins: readonly HostedPlugin[]): readonly HostedPlugin[] {
  const byId = new Map(plugins.map((plugin) => [plugin.id, plugin]));
  const { order, cycles } = dependencyOrder(plugins);
  for (const plugin of plugins) {
    const missing = plugin.dependsOn.filter((id) => !byId.has(id));
    if (missing.length > 0) plugin.fail(`It needs ${missing.join(' and ')}, which is not configured. Add it to the list of plugins.`);
  }
  for (const cycle of cycles) {
    for (const id of cycle) byId.get(id)?.fail(`It is in a circle of plugins that need each other: ${cycle.join(', ')}.`);
  }
  return [...order, ...cycles.flat()].flatMap((id) => byId.get(id) ?? []);
}

/** Each starts as soon as what it depends on has started, so that one that hangs holds up its dependents alone. */
async function startInOrder(ordered: readonly HostedPlugin[]): Promise<void> {
  const started = new Map<HostedPlugin, Promise<void>>();
  const start = async (plugin: HostedPlugin): Promise<void> => {
    const dependencies = ordered.filter(({ id }) => plugin.dependsOn.includes(id));
    for (const dependency of dependencies) await started.get(dependency);
    const broken = dependencies.find((dependency) => dependency.refusal !== undefined);
    if (broken !== undefined) plugin.block(`It needs ${broken.id}, which is ${broken.refusal?.state}. Mend that one first.`);
    await plugin.start();
  };
  for (const plugin of ordered) started.set(plugin, start(plugin));
  await Promise.all(started.values());
}

function requiredPluginsFailed(refused: readonly HostedPlugin[]): CloudletError {
  const causes = refused.map(({ id, refusal }) => `Plugin "${id}" is required and is ${refusal?.state}: ${refusal?.detail}`);
  const errors = refused.flatMap(({ refusal }) => refusal?.errors ?? []);
  return new CloudletError(errors.length > 0 ? 'invalid-input' : 'internal', causes.join(' '), errors.length > 0 ? { errors } : {});
}
