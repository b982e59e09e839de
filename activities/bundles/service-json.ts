import { Type, type Static } from 'typebox';
import { serviceIdPattern, type ServiceSpec } from '../../workflows/contract/service.ts';
import { parseDocument } from './parse-document.ts';
import { refuse } from './refuse.ts';

/** What pycloud says of a service. */
export const serviceJsonName = 'service.json';

/** pycloud writes a number where its form had one and text where it had text, and null for what was never said. */
const Loose = Type.Optional(Type.Union([Type.String({ maxLength: 4096 }), Type.Number(), Type.Null()]));

const ServiceJson = Type.Object({
  service_id: Type.String(),
  vm_image: Type.Object({ disk_image: Type.String(), state_image: Type.Optional(Type.Union([Type.String(), Type.Null()])) }),
  port: Type.Union([Type.String(), Type.Integer()]),
  description: Loose,
  version: Loose,
  tags: Type.Optional(Type.Union([Type.Array(Type.String(), { maxItems: 1000 }), Type.String(), Type.Null()])),
  num_users: Loose,
  ideal_memory: Loose,
  min_memory: Loose,
});

export interface ServiceDescription {
  readonly serviceId: string;
  /** Name of the member that is its disk. */
  readonly diskName: string;
  readonly spec: Partial<ServiceSpec> & Pick<ServiceSpec, 'ports'>;
}

/** All that pycloud gave a guest, whatever its service asked for. */
const pycloudMemoryMib = 1024;

/** @throws CloudletError `unprocessable-bundle` saying what is wrong */
export function readServiceJson(bytes: Buffer): ServiceDescription {
  const json = parseDocument(serviceJsonName, bytes, ServiceJson);
  const { service_id: serviceId, vm_image: image } = json;
  if (!new RegExp(serviceIdPattern).test(serviceId)) {
    throw refuse(`the service's name "${serviceId.slice(0, 80)}" is none that this cloudlet takes: letters, digits, dots and dashes`);
  }
  const guestPort = wholeNumber('port', json.port) ?? 0;
  if (guestPort < 1 || guestPort > 65_535) throw refuse(`its port ${String(json.port).slice(0, 20)} is not one of 1 to 65535`);
  return {
    serviceId,
    diskName: image.disk_image,
    spec: {
      description: text(json.description, 1000) ?? '',
      version: text(json.version, 64) ?? '',
      tags: tagsOf(json.tags),
      ports: [{ name: 'main', protocol: 'tcp', guestPort }],
      memory: memoryOf(json),
      ...usersOf(wholeNumber('num_users', json.num_users) ?? 0),
    },
  };
}

/** The other way round, by the rules of pycloud's reader: it wants every field, numbers as text, and a name for the state. */
export function serviceJson(spec: ServiceSpec, diskName: string, stateName: string): Buffer {
  const json: Static<typeof ServiceJson> = {
    service_id: spec.serviceId,
    vm_image: { disk_image: diskName, state_image: stateName },
    description: spec.description,
    version: spec.version,
    tags: [...spec.tags],
    port: String(spec.ports[0]!.guestPort),
    num_users: spec.sharing === 'own' ? 0 : spec.maximumUsers,
    ideal_memory: String(spec.memory.idealMib),
    min_memory: String(spec.memory.minimumMib),
  };
  return Buffer.from(`${JSON.stringify(json, null, 2)}\n`);
}

const text = (value: string | number | null | undefined, length: number): string | undefined =>
  value === null || value === undefined ? undefined : String(value).slice(0, length);

function wholeNumber(name: string, value: string | number | null | undefined): number | undefined {
  if (value === null || value === undefined || value === '') return undefined;
  if (typeof value === 'string' && !/^\s*\d{1,9}\s*$/.test(value)) throw refuse(`its ${name} "${value.slice(0, 40)}" is not a number`);
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 0) throw refuse(`its ${name} ${number} is not a whole number`);
  return number;
}

function tagsOf(tags: Static<typeof ServiceJson>['tags']): string[] {
  const given = typeof tags === 'string' ? tags.split(',') : (tags ?? []);
  return given
    .map((tag) => tag.trim().slice(0, 64))
    .filter((tag) => tag !== '')
    .slice(0, 32);
}

function memoryOf(json: Static<typeof ServiceJson>): ServiceSpec['memory'] {
  const bounded = (mib: number | undefined) => (mib === undefined || mib < 32 || mib > 1024 * 1024 ? undefined : mib);
  const idealMib = bounded(wholeNumber('ideal_memory', json.ideal_memory)) ?? pycloudMemoryMib;
  return { idealMib, minimumMib: Math.min(idealMib, bounded(wholeNumber('min_memory', json.min_memory)) ?? idealMib) };
}

/** pycloud lets users join where it was told a number of them, and gives each an instance of its own otherwise. */
const usersOf = (users: number): Pick<ServiceSpec, 'sharing' | 'maximumUsers'> =>
  users > 0 ? { sharing: 'join', maximumUsers: Math.min(users, 100_000) } : { sharing: 'own', maximumUsers: 1 };
