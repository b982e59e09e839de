/** Plugins that misbehave on demand, given to `loadPlugins` in place of real modules. */
import { Type, type TSchema } from 'typebox';
import type { ConfiguredPlugin } from '../import-plugin.ts';
import { loadPlugins, type LoadPlugins } from '../load-plugins.ts';
import { definePlugin, pluginApiVersion, type Plugin, type PluginLog, type PluginManifest } from '../plugin.ts';

export interface LoggedLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly facts: object;
  readonly message: string;
}

/** A log that keeps its lines. */
export function recordingLog(): { readonly log: PluginLog; readonly lines: readonly LoggedLine[] } {
  const lines: LoggedLine[] = [];
  const at = (level: LoggedLine['level']) => (facts: object, message: string) => void lines.push({ level, facts, message });
  return { log: { info: at('info'), warn: at('warn'), error: at('error') }, lines };
}

export const closedOptions = Type.Object({}, { additionalProperties: false });

/** A plugin that does nothing but what `register` says. */
export const fakePlugin = (id: string, register: Plugin['register'] = () => undefined, manifest: Partial<PluginManifest> = {}): Plugin =>
  definePlugin<TSchema>({
    manifest: { id, apiVersion: pluginApiVersion, title: `The ${id}`, description: `Fake ${id}`, options: closedOptions, ...manifest },
    register,
  });

/** Loads the given plugins as if each came from a module that exports it. Time limits are short: some hang on purpose. */
export function loadFakes(
  plugins: readonly Plugin[],
  settings: Partial<LoadPlugins> & { readonly required?: readonly string[] } = {},
): ReturnType<typeof loadPlugins> {
  const { required = [], ...rest } = settings;
  const byId = new Map(plugins.map((plugin) => [plugin.manifest.id, plugin]));
  return loadPlugins({
    configured: plugins.map(({ manifest }) => ({ name: manifest.id, required: required.includes(manifest.id) })),
    process: 'api',
    log: recordingLog().log,
    importPlugin: async ({ name }: ConfiguredPlugin) => ({ plugin: byId.get(name) }),
    startTimeoutMs: 50,
    stopTimeoutMs: 50,
    healthTimeoutMs: 50,
    ...rest,
  });
}
