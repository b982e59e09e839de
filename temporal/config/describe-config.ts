import { Value } from 'typebox/value';
import { maskSecretKeys, maskSecrets } from './mask-secrets.ts';
import type { ResolvedConfig, SettingSource } from './resolve-config.ts';
import { type Setting, type SettingKey, settingKeys, settings } from './settings.ts';

/** One setting as people see it. */
export interface DescribedSetting {
  readonly key: SettingKey;
  readonly env: string;
  readonly about: string;
  readonly allowed: string;
  /** In the form of the file, secrets masked; undefined = unset. */
  readonly value: unknown;
  readonly source: string;
}

const describeSource = (source: SettingSource): string => (source.kind === 'default' ? 'default' : source.name);

function describeValue(setting: Setting, value: unknown): unknown {
  if (value === undefined) return undefined;
  const encoded: unknown = Value.Encode(setting.schema, value);
  return setting.secret && typeof encoded === 'string' ? maskSecrets(encoded) : maskSecretKeys(encoded);
}

/** @returns every setting with its value and where that came from, in the table's order; secrets masked */
export function describeConfig({ config, sources }: ResolvedConfig): readonly DescribedSetting[] {
  return settingKeys.map((key) => {
    const setting: Setting = settings[key];
    const { env, about, allowed } = setting;
    return { key, env, about, allowed, value: describeValue(setting, config[key]), source: describeSource(sources[key]) };
  });
}

/** @returns `describeConfig` as lines of text: variable, value, source */
export function formatConfig(resolved: ResolvedConfig): string {
  const rows = describeConfig(resolved).map(({ env, value, source }) => ({
    env,
    value: value === undefined ? '(unset)' : typeof value === 'string' ? value : JSON.stringify(value),
    source,
  }));
  const envWidth = Math.max(...rows.map((row) => row.env.length));
  const valueWidth = Math.min(48, Math.max(...rows.map((row) => row.value.length)));
  const lines = rows.map((row) => `${row.env.padEnd(envWidth)}  ${row.value.padEnd(valueWidth)}  ${row.source}`);
  return [...lines, ...resolved.warnings.map((warning) => `! ${warning}`)].join('\n');
}
