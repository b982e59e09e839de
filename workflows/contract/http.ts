/** What `/v1` sends and takes: the shapes that validate requests, make answers and describe both in OpenAPI. */
import { Type, type Static } from 'typebox';
import { accelerators, HostCapacity } from './cloudlet.ts';
import type { Problem } from './errors.ts';
import { ImageSource } from './image-source.ts';
import { operationKinds, operationStates, Progress } from './operation.ts';
import { ServiceId, ServiceSpec } from './service.ts';
import { PortMapping, serviceVmPurposes, serviceVmStates, startRungs } from './service-vm.ts';

const closed = { additionalProperties: false } as const;
const Time = Type.String({ format: 'date-time' });
const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()]);

/** A reference in a schema says nothing to TypeScript. */
type WithProblem<Body> = Omit<Body, 'problem'> & { readonly problem: Problem | null };

export const uuidPattern = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';
export const Uuid = Type.String({ pattern: uuidPattern });

export const ProblemBody = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'What is wrong with this request, and what to do' }),
    code: Type.String(),
    traceId: Type.Optional(Type.String()),
    errors: Type.Optional(Type.Array(Type.Object({ pointer: Type.String(), message: Type.String() }))),
    retryAfterSeconds: Type.Optional(Type.Number()),
    resource: Type.Optional(Type.String()),
    needed: Type.Optional(Type.Number()),
    free: Type.Optional(Type.Number()),
    state: Type.Optional(Type.String()),
    operationId: Type.Optional(Type.String()),
    libvirt: Type.Optional(Type.Object({ code: Type.Integer(), domain: Type.Integer(), message: Type.String() })),
  },
  { $id: 'Problem', description: 'RFC 9457 problem details' },
);

export const ServiceView = Type.Object(
  {
    ...ServiceSpec.properties,
    imageVersion: nullable(Type.Integer({ description: 'Which image new instances start from; null while there is none' })),
    startable: Type.Boolean(),
    startsBy: Type.Array(Type.Enum([...startRungs]), { description: 'Ways to start it, cheapest first' }),
    updatedAt: Time,
    trashedUntil: Type.Optional(Type.String({ format: 'date-time', description: 'In the trash alone: when it is deleted for good' })),
  },
  { $id: 'Service' },
);
export type ServiceView = Static<typeof ServiceView>;

export const ServiceList = Type.Object({ services: Type.Array(Type.Ref('Service')) });

export const NewService = Type.Object(
  {
    ...Type.Partial(ServiceSpec).properties,
    serviceId: ServiceId,
    ports: Type.Optional({
      ...ServiceSpec.properties.ports,
      description: 'The first one is told to stock phones. For a container they may be left out: those that its image exposes',
    }),
    readiness: Type.Optional(ServiceSpec.properties.readiness),
    source: Type.Optional(ImageSource),
    save: Type.Optional(
      Type.Boolean({
        description: 'Boot it once and save its ready state, so that it starts by restore; that is so for a pair unless said otherwise',
      }),
    ),
    edit: Type.Optional(Type.Boolean({ description: 'Boot it as an editing VM first: nobody can start it until that is saved' })),
  },
  closed,
);
export type NewService = Static<typeof NewService>;

const { serviceId: _serviceId, ...changeable } = ServiceSpec.properties;

/** All of a service that can change; what is left out falls back to its default. */
export const ServiceReplacement = Type.Object(
  { ...Type.Partial(Type.Object(changeable)).properties, ports: ServiceSpec.properties.ports },
  closed,
);
export type ServiceReplacement = Static<typeof ServiceReplacement>;

/** What changes of a service; what is left out stays. */
export const ServiceChange = Type.Object(Type.Partial(Type.Object(changeable)).properties, { ...closed, minProperties: 1 });
export type ServiceChange = Static<typeof ServiceChange>;
export const ServiceEditBody = Type.Object(
  {
    operationId: Uuid,
    principal: Type.String({ description: 'Who edits' }),
    state: Type.Enum([...serviceVmStates]),
    message: nullable(Type.String({ description: 'How far it is, for people' })),
    imageVersion: Type.Integer({ description: 'What saving makes' }),
    address: nullable(Type.String({ description: 'IPv4 address where the ports are; null until it is ready' })),
    ports: Type.Array(PortMapping, { description: 'Where the guest is reached, its SSH port among them if the service has one' }),
    vnc: nullable(
      Type.Object({ host: Type.String(), port: Type.Integer() }, { description: 'Its screen, for VNC viewers on the host itself' }),
    ),
    domainUuid: nullable(Type.String({ description: 'For `virsh console` on the host: its serial console' })),
    startedAt: Time,
  },
  { $id: 'ServiceEdit' },
);
export type ServiceEditBody = Static<typeof ServiceEditBody>;

export const ServiceVmBody = Type.Object(
  {
    id: Uuid,
    serviceId: Type.String(),
    purpose: Type.Enum([...serviceVmPurposes], { description: '`warm` while it waits, started ahead of time, to be claimed' }),
    state: Type.Enum([...serviceVmStates]),
    rung: nullable(Type.Enum([...startRungs], { description: 'How it was started; null until it was' })),
    address: nullable(Type.String({ description: 'IPv4 address that clients connect to; null until it is ready' })),
    ports: Type.Array(PortMapping, { description: 'Where clients reach the guest; empty until it is ready' }),
    users: Type.Integer(),
    memoryMib: Type.Integer(),
    vcpus: Type.Integer(),
    restarts: Type.Integer(),
    endReason: nullable(Type.String()),
    problem: nullable(Type.Ref('Problem')),
    requestedAt: Time,
    readyAt: nullable(Time),
    endedAt: nullable(Time),
  },
  { $id: 'ServiceVm' },
);
export type ServiceVmBody = WithProblem<Static<typeof ServiceVmBody>>;

export const Lease = Type.Object(
  {
    token: Type.String({ description: 'Proves that the instance is yours to use: send it as `Authorization: Bearer`' }),
    expiresInSeconds: Type.Integer({ description: 'Renew it before' }),
  },
  { $id: 'Lease' },
);

export const OperationBody = Type.Object(
  {
    id: Uuid,
    kind: Type.Enum([...operationKinds]),
    state: Type.Enum([...operationStates]),
    subject: Type.String({ description: 'What it is about: id of a Service VM, or name of a service' }),
    principal: nullable(Type.String({ description: 'Who asked; for admins' })),
    progress: nullable(Progress),
    attempts: Type.Array(
      Type.Object({
        activity: Type.String(),
        attempt: Type.Integer(),
        lastFailure: nullable(Type.String()),
        heartbeat: Type.Optional(Type.Unknown()),
      }),
      { description: 'Steps under way, those that are being tried again among them' },
    ),
    result: nullable(Type.Record(Type.String(), Type.Unknown())),
    problem: nullable(Type.Ref('Problem')),
    cancellable: Type.Boolean(),
    workflowId: Type.String(),
    temporalUrl: nullable(Type.String({ description: 'The same operation in Temporal UI' })),
    createdAt: Time,
    finishedAt: nullable(Time),
  },
  { $id: 'Operation' },
);
export type OperationBody = WithProblem<Static<typeof OperationBody>>;

export const StartRequestBody = Type.Object(
  {
    serviceId: ServiceId,
    join: Type.Optional(Type.Boolean({ default: true, description: 'Whether an instance that others use will do' })),
  },
  closed,
);
export type StartRequestBody = Static<typeof StartRequestBody>;

export const StartAnswer = Type.Object({
  serviceVm: Type.Ref('ServiceVm'),
  lease: Type.Ref('Lease'),
  operationId: Type.String(),
  joined: Type.Boolean(),
  rung: Type.Enum([...startRungs], {
    description: 'How you get it: one that runs, one that waited warm, or a new one from its saved state or by a boot',
  }),
  expectedReadyAt: nullable(
    Type.String({
      format: 'date-time',
      description: 'When it answers, as far as former starts on this host tell; null where there were none. In the past once it does',
    }),
  ),
});
export type StartAnswer = Omit<Static<typeof StartAnswer>, 'serviceVm' | 'lease'> & {
  readonly serviceVm: ServiceVmBody;
  readonly lease: Static<typeof Lease>;
};

export const CloudletBody = Type.Object(
  {
    id: Uuid,
    name: Type.String(),
    version: Type.String(),
    ready: Type.Boolean(),
    capacity: HostCapacity,
    load: Type.Object({
      serviceVms: Type.Integer(),
      users: Type.Integer(),
      cpuPercent: Type.Number({ description: 'Of the whole machine' }),
    }),
    accelerators: Type.Array(Type.Enum([...accelerators])),
    hosts: Type.Array(
      Type.Object({
        id: Uuid,
        name: Type.String(),
        up: Type.Boolean(),
        problem: nullable(Type.String()),
        address: Type.String(),
        capacity: HostCapacity,
      }),
    ),
    services: Type.Array(Type.Ref('Service')),
    peers: Type.Array(Type.Object({ name: Type.String(), address: Type.String(), port: Type.Integer() }), {
      description: 'Other cloudlets that answer on this network',
    }),
  },
  { $id: 'Cloudlet' },
);

export const HealthBody = Type.Object(
  {
    status: Type.Union([Type.Literal('ready'), Type.Literal('unready')]),
    degraded: Type.Array(Type.String(), { description: 'What does not work, though starts are served' }),
    checks: Type.Array(Type.Object({ name: Type.String(), ok: Type.Boolean(), detail: Type.String() })),
  },
  { $id: 'Health' },
);
