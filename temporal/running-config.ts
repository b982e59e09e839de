import type { Config, PluginSetting } from './config/settings.ts';
import { CloudletError } from '../workflows/contract/errors.ts';

/** The configuration once it is known where everything runs: what a start found or brought up. */
export interface RunningConfig extends Config {
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  readonly libvirtUri: string;
}

/**
 * For a process that is run alone, as a unit under systemd is: nobody fills in for it what it needs.
 * @throws CloudletError `invalid-input` naming the settings that are missing
 */
export function requireRunning(config: Config): RunningConfig {
  const needed = { databaseUrl: 'DATABASE_URL', temporalAddress: 'TEMPORAL_ADDRESS', libvirtUri: 'LIBVIRT_URI' } as const;
  const missing = Object.entries(needed).filter(([key]) => config[key as keyof typeof needed] === undefined);
  if (missing.length > 0) {
    const names = missing.map(([, env]) => env).join(', ');
    throw new CloudletError(
      'invalid-input',
      `A process that is run alone must be told where the others are: set ${names}, or use \`cloudlet start\`.`,
    );
  }
  return config as RunningConfig;
}

/** The plugins as configured, told where Avahi is when the start found that out. */
export function configuredPlugins({ plugins, dbusAddress }: Pick<Config, 'plugins' | 'dbusAddress'>): readonly PluginSetting[] {
  if (dbusAddress === undefined) return plugins;
  return plugins.map((plugin) => (plugin.name === 'discovery-avahi' ? { ...plugin, options: { dbusAddress, ...plugin.options } } : plugin));
}
