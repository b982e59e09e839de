/** A Service: what a phone asks for, and what a Service VM of it is made of. */
import { Type, type Static } from 'typebox';

export const serviceIdPattern = '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$';
export const ServiceId = Type.String({ pattern: serviceIdPattern, description: 'Name of the service, e.g. cloudlet.sample.ocr' });

const closed = { additionalProperties: false } as const;
const Port = Type.Integer({ minimum: 1, maximum: 65535 });

export const ServicePort = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z][a-z0-9-]{0,14}$', description: 'What it is for, e.g. http, ssh' }),
    protocol: Type.Union([Type.Literal('tcp'), Type.Literal('udp')]),
    guestPort: Port,
  },
  closed,
);
export type ServicePort = Static<typeof ServicePort>;

/** When a Service VM counts as ready. A TCP connection that is merely accepted proves nothing. */
export const ReadinessProbe = Type.Union([
  Type.Object(
    {
      kind: Type.Literal('http'),
      guestPort: Port,
      path: Type.String({ pattern: '^/[\\x21-\\x7e]{0,1023}$', default: '/' }),
      timeoutSeconds: Type.Integer({ minimum: 1, maximum: 3600 }),
    },
    { ...closed, title: 'http', description: 'A GET of this path is answered with a status below 400' },
  ),
  Type.Object(
    { kind: Type.Literal('tcp'), guestPort: Port, timeoutSeconds: Type.Integer({ minimum: 1, maximum: 3600 }) },
    { ...closed, title: 'tcp', description: 'The guest itself accepted a connection to this port' },
  ),
  Type.Object({ kind: Type.Literal('none') }, { ...closed, title: 'none', description: 'Ready as soon as the guest runs' }),
]);
export type ReadinessProbe = Static<typeof ReadinessProbe>;

const Cidr = Type.String({
  pattern: '^(\\d{1,3}\\.){3}\\d{1,3}(/([0-9]|[12][0-9]|3[0-2]))?$',
  description: 'IPv4 address or network, e.g. 192.168.1.20 or 10.0.0.0/8',
});

/** What the guest may reach on its own. Never the host itself, whatever stands here. */
export const Egress = Type.Union([
  Type.Object({ mode: Type.Literal('none') }, { ...closed, title: 'none' }),
  Type.Object(
    {
      mode: Type.Literal('filtered'),
      internet: Type.Boolean({ description: 'Public addresses' }),
      allow: Type.Array(Cidr, { maxItems: 64, description: 'Private networks that it may reach all the same' }),
    },
    { ...closed, title: 'filtered' },
  ),
]);
export type Egress = Static<typeof Egress>;

const MemoryMib = Type.Integer({ minimum: 32, maximum: 1024 * 1024 });

export const ServiceSpec = Type.Object(
  {
    serviceId: ServiceId,
    description: Type.String({ maxLength: 1000 }),
    version: Type.String({ maxLength: 64 }),
    tags: Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 32 }),
    ports: Type.Array(ServicePort, { minItems: 1, maxItems: 16, description: 'The first one is told to stock phones' }),
    readiness: ReadinessProbe,
    vcpus: Type.Integer({ minimum: 1, maximum: 64 }),
    memory: Type.Object(
      { minimumMib: MemoryMib, idealMib: MemoryMib },
      { ...closed, description: 'Ideal: what its image is built with. Minimum: what a cold boot may fall to' },
    ),
    maximumUsers: Type.Integer({ minimum: 1, maximum: 100_000 }),
    whenFull: Type.Union([Type.Literal('another'), Type.Literal('refuse')], {
      description: 'Beyond the maximum: another instance, or a refusal',
    }),
    sharing: Type.Union([Type.Literal('join'), Type.Literal('own')], { description: 'own: every user gets an instance of its own' }),
    idleSeconds: Type.Integer({ minimum: 10, maximum: 604_800, description: 'Without any traffic for so long, its users count as gone' }),
    leaseSeconds: Type.Integer({ minimum: 10, maximum: 604_800, description: 'For how long a start or a renewal holds the instance' }),
    restartPolicy: Type.Union([Type.Literal('never'), Type.Literal('on-failure'), Type.Literal('always')]),
    egress: Egress,
    poolSize: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 64, description: 'Instances that wait ready for users, restored ahead of time; 0 when absent' }),
    ),
    osType: Type.Optional(
      Type.Union([Type.Literal('linux'), Type.Literal('windows'), Type.Literal('other')], {
        description: 'What runs in the guest, for people and for its clock; linux when absent',
      }),
    ),
    diskGrowthMib: Type.Optional(
      Type.Integer({
        minimum: 64,
        maximum: 16 * 1024 * 1024,
        description: 'How much an instance may write to its disk; beyond, its guest sees a full disk. 8192 when absent',
      }),
    ),
  },
  closed,
);
export type ServiceSpec = Static<typeof ServiceSpec>;

/** What a service is made of when its author does not say. */
export const serviceSpecDefaults = {
  description: '',
  version: '1',
  tags: [],
  vcpus: 1,
  memory: { minimumMib: 256, idealMib: 512 },
  maximumUsers: 1000,
  whenFull: 'another',
  sharing: 'join',
  idleSeconds: 600,
  leaseSeconds: 300,
  restartPolicy: 'on-failure',
  egress: { mode: 'none' },
  poolSize: 0,
  osType: 'linux',
  diskGrowthMib: 8192,
} as const satisfies Partial<ServiceSpec>;

/** The first port: the one a stock phone is told. */
export const mainPort = (spec: Pick<ServiceSpec, 'ports'>): ServicePort => spec.ports[0]!;
