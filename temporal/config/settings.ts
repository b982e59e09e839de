/**
 * Every setting of a cloudlet in one table: the loader, the error messages, `cloudlet config` and the documentation
 * are made from it. A setting is a key in the configuration file and a variable in the environment.
 */
import { isIP } from 'node:net';
import { Type, type StaticDecode, type TSchema } from 'typebox';
import { bundlePolicies } from '../../workflows/contract/bundle.ts';
import { defaultDomainPrefix } from '../../workflows/contract/ids.ts';
import { formatPortRange, parsePortRange } from './port-range.ts';

/** A path must leave room for the sockets below it: the kernel takes 107 bytes for one. */
export const maxDataDirBytes = 72;

export interface Setting<Schema extends TSchema = TSchema> {
  /** Name of the environment variable. */
  readonly env: string;
  readonly about: string;
  /** What a value may be, in words that follow "allowed:". */
  readonly allowed: string;
  readonly schema: Schema;
  /** Value in the form of the file, where nobody says otherwise; absent = unset. */
  readonly fallback?: unknown;
  /** Turns the text of an environment variable into the form of the file. Default: the text itself. */
  readonly fromText?: (text: string) => unknown;
  /** The value is a path: a relative one is meant from the file that names it, or from the working directory. */
  readonly path?: true;
  /** Where a path's `fallback` is meant from. */
  readonly fallbackIn?: 'checkout' | 'dataDir';
  /** The value may carry a password: it is shown masked. */
  readonly secret?: true;
}

/** One plugin in the configuration. A required one that fails refuses the start. */
export interface PluginSetting {
  readonly name: string;
  /** Path or package of one that does not come with the cloudlet. */
  readonly module?: string;
  readonly required?: boolean;
  readonly options?: Readonly<Record<string, unknown>>;
}

const defaultPlugins: readonly PluginSetting[] = [
  { name: 'discovery-avahi' },
  { name: 'security-open', required: true },
  { name: 'sample-services' },
];

const integerFromText = (text: string): unknown => (/^-?\d+$/.test(text.trim()) ? Number(text) : text);

/** A list as JSON, or of items with commas between them. */
function listFromText(text: string): unknown {
  if (text.trimStart().startsWith('[')) {
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  }
  return text.split(',').map((item) => item.trim());
}

/** A comma list names plugins, which are as required as in the default list; JSON says everything. */
function pluginsFromText(text: string): unknown {
  if (text.trimStart().startsWith('[')) return listFromText(text);
  const names = text.split(',').map((name) => name.trim());
  return names.map((name) => defaultPlugins.find((known) => known.name === name) ?? { name });
}

const byteLength = (text: string): number => Buffer.byteLength(text);
const hostName = /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/;

/** A name whose last label is a number would be taken for an IP address, and is none. */
const isHost = (text: string): boolean => isIP(text) !== 0 || (hostName.test(text) && !/(^|\.)(\d+|0x[\da-f]*)$/i.test(text));

function isHostAndPort(text: string): boolean {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  return match !== null && isHost(match[1] ?? match[2] ?? '') && port >= 1 && port <= 65_535;
}

const isUrlOf = (schemes: RegExp) => (text: string) => schemes.test(text) && URL.canParse(text);

const Path = Type.String({ minLength: 1, pattern: '^[^\\0]+$' });
const Port = Type.Integer({ minimum: 0, maximum: 65_535 });
const port = { schema: Port, fromText: integerFromText, allowed: 'a port from 1 to 65535, or 0 to pick a free one and keep it' };

const Plugins = Type.Refine(
  Type.Array(
    Type.Object(
      {
        name: Type.String({ pattern: '^[a-z][a-z0-9]*(-[a-z0-9]+)*$', maxLength: 64 }),
        module: Type.Optional(Type.String({ minLength: 1 })),
        required: Type.Optional(Type.Boolean()),
        options: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
      },
      { additionalProperties: false },
    ),
    { maxItems: 256 },
  ),
  (plugins) => new Set(plugins.map((plugin) => plugin.name)).size === plugins.length,
);

const GuestPorts = Type.Codec(Type.Refine(Type.String(), (text: string) => parsePortRange(text) !== undefined))
  .Decode((text) => parsePortRange(text) ?? { first: 0, last: 0 })
  .Encode(formatPortRange);

const define = <Table extends Readonly<Record<string, Setting>>>(table: Table): Table => table;

export const settings = define({
  dataDir: {
    env: 'CLOUDLET_DATA_DIR',
    about: 'Folder that holds everything this cloudlet keeps',
    allowed: `a path of at most ${maxDataDirBytes} bytes, so that the sockets in it can be opened`,
    schema: Type.Refine(Path, (text: string) => byteLength(text) <= maxDataDirBytes),
    fallback: '.cloudlet',
    fallbackIn: 'checkout',
    path: true,
  },
  apiHost: {
    env: 'CLOUDLET_API_HOST',
    about: 'Address on which the API listens',
    allowed: 'an IP address or a host name, 0.0.0.0 for all',
    schema: Type.Refine(Type.String(), isHost),
    fallback: '0.0.0.0',
  },
  apiPort: { env: 'CLOUDLET_API_PORT', about: 'Port of the API', fallback: 9999, ...port },
  managerPort: { env: 'CLOUDLET_MANAGER_PORT', about: 'Port of the manager, on loopback only', fallback: 9998, ...port },
  networkAdapter: {
    env: 'CLOUDLET_NETWORK_ADAPTER',
    about: 'Network interface whose address clients are told and on which the cloudlet announces itself',
    allowed: 'the name of a network interface of this host',
    schema: Type.Optional(Type.String({ pattern: '^[^\\s/:]{1,15}$' })),
  },
  databaseUrl: {
    env: 'DATABASE_URL',
    about: 'PostgreSQL to use instead of the embedded one',
    allowed: 'a URL like postgresql://user:password@host:5432/database',
    schema: Type.Optional(Type.Refine(Type.String(), isUrlOf(/^postgres(ql)?:\/\//))),
    secret: true,
  },
  temporalAddress: {
    env: 'TEMPORAL_ADDRESS',
    about: 'Temporal frontend to use instead of the embedded server',
    allowed: 'host:port, e.g. temporal.example.org:7233',
    schema: Type.Optional(Type.Refine(Type.String(), isHostAndPort)),
  },
  temporalNamespace: {
    env: 'TEMPORAL_NAMESPACE',
    about: 'Temporal namespace of this cloudlet',
    allowed: '2 to 255 letters, digits, dots, dashes or underscores',
    schema: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$' }),
    fallback: 'cloudlet',
  },
  temporalUiUrl: {
    env: 'TEMPORAL_UI_URL',
    about: 'Where people open Temporal UI; the embedded one is known by itself',
    allowed: 'an http or https URL',
    schema: Type.Optional(Type.Refine(Type.String(), isUrlOf(/^https?:\/\//))),
  },
  libvirtUri: {
    env: 'LIBVIRT_URI',
    about: 'libvirt to use instead of the one that is found or embedded',
    allowed: 'qemu:///system, qemu+unix:///system?socket=PATH or qemu+tcp://host/system',
    schema: Type.Optional(Type.Refine(Type.String(), isUrlOf(/^qemu(\+unix|\+tcp)?:\/\/[^/]*\/system/))),
    secret: true,
  },
  dbusAddress: {
    env: 'DBUS_SYSTEM_BUS_ADDRESS',
    about: 'D-Bus on which Avahi is; found or embedded where unset',
    allowed: 'a D-Bus address like unix:path=/run/dbus/system_bus_socket',
    schema: Type.Optional(Type.String({ pattern: '^[a-z]+:.+' })),
  },
  postgresPort: { env: 'CLOUDLET_POSTGRES_PORT', about: 'Port of the embedded PostgreSQL, on loopback', fallback: 0, ...port },
  temporalPort: { env: 'CLOUDLET_TEMPORAL_PORT', about: 'Port of the embedded Temporal, on loopback', fallback: 0, ...port },
  temporalUiPort: { env: 'CLOUDLET_TEMPORAL_UI_PORT', about: 'Port of the embedded Temporal UI, on loopback', fallback: 0, ...port },
  memoryMib: {
    env: 'CLOUDLET_MEMORY_MIB',
    about: 'Memory in MiB that Service VMs may use together; unset = what this host can spare',
    allowed: 'a whole number of MiB from 64 to 16777216',
    schema: Type.Optional(Type.Integer({ minimum: 64, maximum: 16_777_216 })),
    fromText: integerFromText,
  },
  guestPorts: {
    env: 'CLOUDLET_GUEST_PORTS',
    about: 'Ports of this host that Service VMs are reached at',
    allowed: 'a range of ports like 20000-29999',
    schema: GuestPorts,
    fallback: '20000-29999',
  },
  domainPrefix: {
    env: 'CLOUDLET_DOMAIN_PREFIX',
    about: 'How the names of our libvirt domains begin',
    allowed: 'lower case letters, digits and dashes, at most 32, a letter first and a dash last',
    schema: Type.String({ pattern: '^[a-z][a-z0-9-]{0,30}-$' }),
    fallback: defaultDomainPrefix,
  },
  importDir: {
    env: 'CLOUDLET_IMPORT_DIR',
    about: 'Folder from which an admin may import disks and bundles',
    allowed: 'a path',
    schema: Path,
    fallback: 'import',
    fallbackIn: 'dataDir',
    path: true,
  },
  maxUploadGib: {
    env: 'CLOUDLET_MAX_UPLOAD_GIB',
    about: 'Size of the largest file in GiB that an admin may upload',
    allowed: 'a whole number of GiB from 1 to 65536',
    schema: Type.Integer({ minimum: 1, maximum: 65_536 }),
    fallback: 256,
    fromText: integerFromText,
  },
  trashHoldHours: {
    env: 'CLOUDLET_TRASH_HOLD_HOURS',
    about: 'For how many hours a removed service can be brought back before its disk space is freed',
    allowed: 'a whole number of hours from 0 to 8760',
    schema: Type.Integer({ minimum: 0, maximum: 8760 }),
    fallback: 168,
    fromText: integerFromText,
  },
  bundlePolicy: {
    env: 'CLOUDLET_BUNDLE_POLICY',
    about: "Whose bundles may be imported: anybody's, those that are signed, or those that we or a trusted publisher signed",
    allowed: 'any, signed or trusted',
    schema: Type.Enum([...bundlePolicies]),
    fallback: 'any',
  },
  trustedPublishers: {
    env: 'CLOUDLET_TRUSTED_PUBLISHERS',
    about: 'Public keys of publishers whose bundles are trusted, saved states included; `cloudlet bundle key` shows our own',
    allowed: 'Ed25519 public keys, 43 characters base64url each, with commas between them',
    schema: Type.Array(Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }), { maxItems: 1000 }),
    fallback: [],
    fromText: listFromText,
  },
  bundleHoldHours: {
    env: 'CLOUDLET_BUNDLE_HOLD_HOURS',
    about: 'Hours that an exported bundle waits to be downloaded',
    allowed: 'a whole number of hours from 1 to 8760',
    schema: Type.Integer({ minimum: 1, maximum: 8760 }),
    fallback: 72,
    fromText: integerFromText,
  },
  logLevel: {
    env: 'CLOUDLET_LOG_LEVEL',
    about: 'How much the processes log',
    allowed: 'fatal, error, warn, info, debug, trace or silent',
    schema: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
    fallback: 'info',
  },
  plugins: {
    env: 'CLOUDLET_PLUGINS',
    about: 'Plugins to load, in the file a list of { name, required, options }',
    allowed: 'plugin names (kebab-case, each once) with commas between them, or a JSON list of { name, required?, options? }',
    schema: Plugins,
    fallback: defaultPlugins,
    fromText: pluginsFromText,
  },
});

export type SettingKey = keyof typeof settings;

export const settingKeys = Object.keys(settings) as readonly SettingKey[];

type OptionalKey = { [Key in SettingKey]: (typeof settings)[Key] extends { fallback: unknown } ? never : Key }[SettingKey];

/** The merged configuration. Paths are absolute; a setting without a default may be absent. */
export type Config = { readonly [Key in Exclude<SettingKey, OptionalKey>]: StaticDecode<(typeof settings)[Key]['schema']> } & {
  readonly [Key in OptionalKey]?: StaticDecode<(typeof settings)[Key]['schema']>;
};
