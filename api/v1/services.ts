import { isIP } from 'node:net';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { findServiceView, listServiceViews } from '../../activities/store/service-views.ts';
import { removeService } from '../../activities/store/services.ts';
import { startBuild } from '../../temporal/client/start-build.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { NewService, ServiceList } from '../../workflows/contract/http.ts';
import { principalName } from '../../workflows/contract/principal.ts';
import { mainPort, serviceSpecDefaults, ServiceId, type ServiceSpec } from '../../workflows/contract/service.ts';
import { authorize } from '../auth/authorize.ts';
import type { ApiContext } from '../context.ts';
import { nothing } from '../http/answers.ts';
import { idempotencyOf } from '../http/idempotency.ts';

const ById = Type.Object({ serviceId: ServiceId });

export const services: FastifyPluginAsyncTypebox<{ context: ApiContext }> = async (app, { context }) => {
  const tags = ['services'];

  app.get('/services', { schema: { tags, summary: 'Services of this cloudlet', response: { 200: ServiceList } } }, async (request) => {
    await authorize(context, request.caller.principal, 'service.list');
    return { services: await listServiceViews(context.store) };
  });

  app.get(
    '/services/:serviceId',
    { schema: { tags, summary: 'One service', params: ById, response: { 200: Type.Ref('Service') } } },
    async (request) => {
      await authorize(context, request.caller.principal, 'service.list');
      return requireService(context, request.params.serviceId);
    },
  );

  app.post(
    '/services',
    {
      schema: {
        tags: [...tags, 'admin'],
        summary: 'Make a service of a disk, or of an entry of the catalogue; answers with the operation that builds it',
        body: NewService,
        security: [{ bearer: [] }],
        response: { 202: Type.Object({ operationId: Type.String() }) },
      },
    },
    async (request, reply) => {
      const { principal } = request.caller;
      await authorize(context, principal, 'service.manage');
      const { source, save = false, ...given } = request.body;
      const { operationId } = await startBuild(context.store, context.temporal, {
        spec: completeSpec(given),
        source,
        save,
        principal: principalName(principal),
        ...idempotencyOf(request),
      });
      return reply.code(202).header('location', `/v1/operations/${operationId}`).send({ operationId });
    },
  );

  app.delete(
    '/services/:serviceId',
    {
      schema: {
        tags: [...tags, 'admin'],
        summary: 'Remove a service that nobody runs',
        params: ById,
        security: [{ bearer: [] }],
        response: { 204: nothing },
      },
    },
    async (request, reply) => {
      await authorize(context, request.caller.principal, 'service.manage');
      if (!(await removeService(context.store, request.params.serviceId))) throw noService(request.params.serviceId);
      return reply.code(204).send(null);
    },
  );
};

const noService = (serviceId: string): CloudletError =>
  new CloudletError('not-found', `There is no service "${serviceId}" on this cloudlet. GET /v1/services lists those there are.`);

async function requireService(context: ApiContext, serviceId: string) {
  const view = await findServiceView(context.store, serviceId);
  if (!view) throw noService(serviceId);
  return view;
}

/**
 * Fills in what the author of a service left out, and checks what no schema can.
 * @throws CloudletError `invalid-input`
 */
export function completeSpec(given: Omit<NewService, 'source' | 'save'>): ServiceSpec {
  const main = mainPort(given);
  const memory = given.memory ?? serviceSpecDefaults.memory;
  const spec: ServiceSpec = {
    ...serviceSpecDefaults,
    tags: [],
    readiness: main.protocol === 'tcp' ? { kind: 'tcp', guestPort: main.guestPort, timeoutSeconds: 180 } : { kind: 'none' },
    ...given,
    memory,
  };
  const errors = [...specFaults(spec)];
  if (errors.length > 0) {
    throw new CloudletError(
      'invalid-input',
      `The service is not valid: ${errors.map(({ pointer, message }) => `${pointer} ${message}`).join('; ')}.`,
      { errors },
    );
  }
  return spec;
}

function* specFaults({ ports, readiness, memory, egress }: ServiceSpec) {
  if (memory.minimumMib > memory.idealMib) yield { pointer: '/body/memory/minimumMib', message: 'is above idealMib' };
  for (const [index, port] of ports.entries()) {
    const same = ports.findIndex(
      ({ protocol, guestPort, name }) => (protocol === port.protocol && guestPort === port.guestPort) || name === port.name,
    );
    if (same < index) yield { pointer: `/body/ports/${index}`, message: 'repeats the name or the port of an earlier one' };
  }
  if (readiness.kind !== 'none' && !ports.some(({ protocol, guestPort }) => protocol === 'tcp' && guestPort === readiness.guestPort)) {
    yield { pointer: '/body/readiness/guestPort', message: 'is not one of the TCP ports' };
  }
  for (const [index, network] of (egress.mode === 'filtered' ? egress.allow : []).entries()) {
    if (isIP(network.split('/', 1)[0]!) !== 4)
      yield { pointer: `/body/egress/allow/${index}`, message: 'is not an IPv4 address or network' };
  }
}
