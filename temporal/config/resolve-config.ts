import { resolve } from 'node:path';
import { Value } from 'typebox/value';
import { CloudletError, type InputError } from '../../workflows/contract/errors.ts';
import { findConflicts } from './find-conflicts.ts';
import { maskSecretKeys, maskSecrets } from './mask-secrets.ts';
import { nearestName } from './nearest-name.ts';
import { type Config, type Setting, type SettingKey, settingKeys, settings } from './settings.ts';

/** Where a value came from: `name` is the environment variable or the file's path. */
export type SettingSource = { readonly kind: 'default' } | { readonly kind: 'file' | 'environment'; readonly name: string };

export interface ConfigFile {
  readonly path: string;
  readonly text: string;
}

/** Everything that a configuration is made from; no I/O happens below this line. */
export interface ConfigInput {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly file?: ConfigFile;
  readonly workingDir: string;
  readonly checkoutDir: string;
  /** Names of this host's network interfaces. */
  readonly networkAdapters: readonly string[];
}

export interface ResolvedConfig {
  readonly config: Config;
  readonly sources: Readonly<Record<SettingKey, SettingSource>>;
  /** Sentences about what was passed over. */
  readonly warnings: readonly string[];
}

/** Names with our prefix that are no settings: they say where the file is, or are the children's own. */
const otherNames = new Set(['CLOUDLET_CONFIG']);

interface Given {
  readonly value: unknown;
  readonly source: SettingSource;
  readonly pathBase: string;
}

const sentence = (key: SettingKey, source: SettingSource, value: unknown, allowed: string): string =>
  `${placeOf(key, source)} is ${shown(settings[key], value)}; allowed: ${allowed}.`;

const placeOf = (key: SettingKey, source: SettingSource): string => {
  if (source.kind === 'environment') return source.name;
  return source.kind === 'file' ? `${key} in ${source.name}` : key;
};

function shown(setting: Setting, value: unknown): string {
  if (setting.secret && typeof value === 'string') return JSON.stringify(maskSecrets(value));
  const text = JSON.stringify(maskSecretKeys(value)) ?? 'undefined';
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** @throws CloudletError `invalid-input` where the file is no JSON object */
function readKeys(file: ConfigFile | undefined): Readonly<Record<string, unknown>> {
  if (!file) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(file.text);
  } catch (error) {
    throw new CloudletError('invalid-input', `${file.path} is not JSON: ${(error as Error).message}.`);
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
  throw new CloudletError('invalid-input', `${file.path} must hold one JSON object with settings as its keys.`);
}

const meant = (name: string, known: readonly string[]): string => {
  const nearest = nearestName(name, known);
  return nearest === undefined ? '' : `; did you mean ${nearest}?`;
};

function givenValue(key: SettingKey, input: ConfigInput, keys: Readonly<Record<string, unknown>>): Given | undefined {
  const setting: Setting = settings[key];
  const text = input.environment[setting.env];
  if (text !== undefined && text !== '') {
    const value = setting.fromText ? setting.fromText(text) : text;
    return { value, source: { kind: 'environment', name: setting.env }, pathBase: input.workingDir };
  }
  if (input.file && Object.hasOwn(keys, key)) {
    return { value: keys[key], source: { kind: 'file', name: input.file.path }, pathBase: resolve(input.file.path, '..') };
  }
  return undefined;
}

/**
 * Merges defaults, file and environment, the later over the earlier, and checks every value.
 *
 * @throws CloudletError `invalid-input` that names every wrong value at once: where it stands, what it is, what is allowed
 */
export function resolveConfig(input: ConfigInput): ResolvedConfig {
  const keys = readKeys(input.file);
  const faults: InputError[] = [];
  const values: Record<string, unknown> = {};
  const sources: Partial<Record<SettingKey, SettingSource>> = {};

  for (const key of settingKeys) {
    const setting: Setting = settings[key];
    const fallbackBase = setting.fallbackIn === 'dataDir' ? String(values['dataDir']) : input.checkoutDir;
    const { value, source, pathBase } = givenValue(key, input, keys) ?? {
      value: setting.fallback,
      source: { kind: 'default' } as const,
      pathBase: fallbackBase,
    };
    sources[key] = source;
    if (value === undefined) continue;
    const absolute = setting.path && typeof value === 'string' && value !== '' ? resolve(pathBase, value) : value;
    if (!Value.Check(setting.schema, absolute)) {
      faults.push({ pointer: `/${key}`, message: sentence(key, source, absolute, setting.allowed) });
    } else if (key === 'networkAdapter' && !input.networkAdapters.some((name) => name === value)) {
      const allowed = `one of this host's network interfaces, which are ${input.networkAdapters.join(', ')}`;
      faults.push({ pointer: `/${key}`, message: sentence(key, source, value, allowed) });
    } else {
      values[key] = Value.Decode(setting.schema, absolute);
    }
  }

  for (const name of Object.keys(keys)) {
    if (Object.hasOwn(settings, name)) continue;
    const message = `${name} in ${input.file?.path} is no setting${meant(name, settingKeys) || '.'}`;
    faults.push({ pointer: `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, message });
  }

  const config = values as unknown as Config;
  if (faults.length === 0) {
    for (const { key, message } of findConflicts(config)) {
      faults.push({ pointer: `/${key}`, message: `${placeOf(key, sources[key] ?? { kind: 'default' })} ${message}` });
    }
  }
  if (faults.length > 0) throw refusal(faults);
  return { config, sources: sources as Record<SettingKey, SettingSource>, warnings: unknownVariables(input.environment) };
}

function refusal(faults: readonly InputError[]): CloudletError {
  const opening = faults.length === 1 ? 'has a fault. Correct it' : `has ${faults.length} faults. Correct them`;
  const lines = faults.map((fault) => `  ${fault.message}`);
  return new CloudletError('invalid-input', `The configuration ${opening} and start again:\n${lines.join('\n')}`, { errors: faults });
}

function unknownVariables(environment: ConfigInput['environment']): string[] {
  const known = [...settingKeys.map((key) => settings[key].env), ...otherNames];
  return Object.keys(environment)
    .filter((name) => name.startsWith('CLOUDLET_') && !known.includes(name))
    .toSorted()
    .map((name) => `The environment variable ${name} is no setting and is passed over${meant(name, known) || '.'}`);
}
