import { Value } from 'typebox/value';
import { type Config, type Setting, settingKeys, settings } from './settings.ts';

/**
 * The configuration as environment variables, for a child process that loads its own.
 *
 * @returns what `loadConfig` turns back into the same values
 */
export function toEnvironment(config: Config): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const key of settingKeys) {
    const setting: Setting = settings[key];
    if (config[key] === undefined) continue;
    const encoded: unknown = Value.Encode(setting.schema, config[key]);
    environment[setting.env] = typeof encoded === 'string' ? encoded : JSON.stringify(encoded);
  }
  return environment;
}
