import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { admitJoin, admitStart, type Admission } from '../../activities/store/admission.ts';
import { forecastStart } from '../../activities/store/start-forecast.ts';
import { endLease, renewLease } from '../../activities/store/leases.ts';
import { leaseToken } from '../../activities/store/lease-token.ts';
import { findServiceVm, listServiceVms, type ServiceVmView } from '../../activities/store/service-vms.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { StartAnswer, StartRequestBody, Uuid, type ServiceVmBody } from '../../workflows/contract/http.ts';
import { principalName } from '../../workflows/contract/principal.ts';
import { liveServiceVmStates, serviceVmStates } from '../../workflows/contract/service-vm.ts';
import { authorize } from '../auth/authorize.ts';
import type { ApiContext } from '../context.ts';
import { nothing, plainText } from '../http/answers.ts';
import { cursorPattern, decodeCursor, encodeCursor } from '../http/cursor.ts';
import { idempotencyOf } from '../http/idempotency.ts';
import { waitPreferenceMs } from '../http/wait-preference.ts';
import { startStop } from '../stop-service-vm.ts';
import { waitUntilReady } from '../wait-until-ready.ts';
import { tellUsersLeft } from '../tell-users-left.ts';

const ById = Type.Object({ id: Uuid });
const bearer = [{ bearer: [] }];

/** Who may do a thing is asked before it is looked for, so that a stranger does not learn what there is. */
export const serviceVms: FastifyPluginAsyncTypebox<{ context: ApiContext }> = async (app, { context }) => {
  const { store, identity } = context;
  const tags = ['service-vms'];

  const startAnswer = async (reply: FastifyReply, admission: Admission) => {
    const view = await requireView(admission.serviceVmId);
    const { rung, readyAt } = await forecastStart(store, admission);
    const ready = view.serviceVm.state === 'ready';
    void reply.code(ready ? 200 : 202);
    void reply.header('location', ready ? `/v1/service-vms/${admission.serviceVmId}` : `/v1/operations/${admission.operationId}`);
    return {
      serviceVm: describe(view, true),
      lease: { token: leaseToken(identity.tokenKey, admission.leaseId), expiresInSeconds: admission.leaseSeconds },
      operationId: admission.operationId,
      joined: admission.joined,
      rung,
      expectedReadyAt: readyAt?.toISOString() ?? null,
    };
  };

  app.post(
    '/service-vms',
    {
      schema: {
        tags,
        summary: 'Get a Service VM of a service: one that runs, or a new one',
        description:
          'Answers at once with the instance, a lease on it, by which rung of the start ladder it comes, when it is expected to answer, and the operation to watch; `Prefer: wait=N` waits until it is ready.',
        body: StartRequestBody,
        response: { 200: StartAnswer, 202: StartAnswer },
      },
    },
    async (request, reply) => {
      const { principal } = request.caller;
      const { serviceId, join = true } = request.body;
      await authorize(context, principal, 'service.start', { serviceId });
      const admission = await admitStart(store, {
        serviceId,
        holder: principalName(principal),
        join,
        dialect: 'v1',
        ...idempotencyOf(request),
      });
      if (admission.state !== 'ready') await waitUntilReady(context, admission, waitPreferenceMs(request));
      return startAnswer(reply, admission);
    },
  );

  app.post(
    '/service-vms/:id/join',
    {
      schema: { tags, summary: 'Use an instance whose id you were given', params: ById, response: { 200: StartAnswer, 202: StartAnswer } },
    },
    async (request, reply) => {
      const { principal } = request.caller;
      await authorize(context, principal, 'service-vm.join');
      const admission = await admitJoin(store, {
        serviceVmId: request.params.id,
        holder: principalName(principal),
        dialect: 'v1',
        ...idempotencyOf(request),
      });
      if (admission.state !== 'ready') await waitUntilReady(context, admission, waitPreferenceMs(request));
      return startAnswer(reply, admission);
    },
  );

  app.get(
    '/service-vms',
    {
      schema: {
        tags: [...tags, 'admin'],
        summary: 'Instances, the latest first',
        security: bearer,
        querystring: Type.Object({
          state: Type.Optional(Type.Enum([...serviceVmStates, 'live', 'all'], { default: 'live' })),
          serviceId: Type.Optional(Type.String()),
          cursor: Type.Optional(Type.String({ pattern: cursorPattern })),
          limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,2}$' })),
        }),
        response: { 200: Type.Object({ serviceVms: Type.Array(Type.Ref('ServiceVm')), next: Type.Union([Type.String(), Type.Null()]) }) },
      },
    },
    async (request) => {
      await authorize(context, request.caller.principal, 'service-vm.list');
      const { state = 'live', serviceId, cursor, limit: limitText = '100' } = request.query;
      const limit = Number(limitText);
      const states =
        state === 'all' ? undefined : state === 'live' ? liveServiceVmStates : serviceVmStates.filter((name) => name === state);
      const views = await listServiceVms(store, {
        ...(states ? { states } : {}),
        ...(serviceId === undefined ? {} : { serviceId }),
        ...(cursor === undefined ? {} : { before: decodeCursor(cursor) }),
        limit,
      });
      const last = views.at(-1)?.serviceVm;
      return {
        serviceVms: views.map((view) => describe(view, true)),
        next: last && views.length === limit ? encodeCursor({ at: last.requestedAt, id: last.id }) : null,
      };
    },
  );

  app.get(
    '/service-vms/:id',
    {
      schema: {
        tags,
        summary: 'One instance; its address is for those who hold a lease on it',
        params: ById,
        response: { 200: Type.Ref('ServiceVm') },
      },
    },
    async (request) => {
      await authorize(context, request.caller.principal, 'service-vm.read', { owned: holdsLease(request) });
      return describe(await requireView(request.params.id), true);
    },
  );

  app.get(
    '/service-vms/:id/log',
    {
      schema: {
        tags: [...tags, 'admin'],
        summary: 'What the guest wrote to its serial console, the end of it',
        params: ById,
        security: bearer,
        response: { 200: plainText('The last MiB of it') },
      },
    },
    async (request, reply) => {
      await authorize(context, request.caller.principal, 'service-vm.list');
      const { serviceVm } = await requireView(request.params.id);
      const log = await context.readSerialLog(serviceVm.id);
      if (log === undefined)
        throw new CloudletError('not-found', 'This host has no serial log of it: the guest never ran, or ran elsewhere, or long ago.');
      return reply.type('text/plain; charset=utf-8').send(log);
    },
  );

  app.post(
    '/service-vms/:id/renew',
    {
      schema: {
        tags,
        summary: 'Go on using it',
        params: ById,
        security: bearer,
        response: { 200: Type.Object({ expiresInSeconds: Type.Integer() }) },
      },
    },
    async (request) => {
      const lease = await requireLease(request);
      if (!(await renewLease(store, lease.leaseId)))
        throw new CloudletError('state-conflict', 'The lease has ended. Join or start again.', { state: 'ended' });
      return { expiresInSeconds: Math.round(lease.lengthMs / 1000) };
    },
  );

  app.post(
    '/service-vms/:id/leave',
    {
      schema: {
        tags,
        summary: 'Stop using it; the last user to leave ends it',
        params: ById,
        security: bearer,
        response: { 204: nothing },
      },
    },
    async (request, reply) => {
      const lease = await requireLease(request);
      const left = await endLease(store, lease.leaseId);
      if (left?.users === 0) await tellUsersLeft(context, left.serviceVmId);
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/service-vms/:id/stop',
    {
      schema: {
        tags,
        summary: 'End it, as an admin or its only user',
        params: ById,
        security: bearer,
        response: { 202: Type.Object({ operationId: Type.String() }) },
      },
    },
    async (request, reply) => {
      const { principal } = request.caller;
      await authorize(context, principal, 'service-vm.stop', { owned: holdsLease(request) });
      const view = await requireView(request.params.id);
      if (principal.kind !== 'token' && view.users > 1) {
        throw new CloudletError('state-conflict', `${view.users - 1} others use it, too. Leave it instead: POST …/leave.`, {
          state: 'shared',
        });
      }
      const operationId = await startStop(
        context,
        view,
        principalName(principal),
        idempotencyOf(request).idempotency,
        waitPreferenceMs(request),
      );
      return reply.code(202).header('location', `/v1/operations/${operationId}`).send({ operationId });
    },
  );

  async function requireView(id: string): Promise<ServiceVmView> {
    const view = await findServiceVm(store, id);
    if (!view || view.serviceVm.purpose === 'build') throw new CloudletError('not-found', `There is no Service VM ${id}.`);
    return view;
  }

  /** The lease that the request proves on this very instance. */
  async function requireLease(request: FastifyRequest<{ Params: { id: string } }>) {
    const { lease, principal } = request.caller;
    const owned = lease?.serviceVmId === request.params.id;
    await authorize(context, principal, 'service-vm.use', { owned });
    if (lease && owned) return lease;
    throw new CloudletError('forbidden', 'Send the token of a lease on this instance as `Authorization: Bearer TOKEN`.');
  }
};

const holdsLease = (request: FastifyRequest<{ Params: { id: string } }>): boolean =>
  request.caller.lease?.serviceVmId === request.params.id;

/** @param mayConnect whether the address is for the reader */
export function describe({ serviceVm, serviceId, ports, users, address }: ServiceVmView, mayConnect: boolean): ServiceVmBody {
  const reachable = mayConnect && serviceVm.state === 'ready';
  return {
    id: serviceVm.id,
    serviceId,
    purpose: serviceVm.purpose,
    state: serviceVm.state,
    rung: serviceVm.rung,
    address: reachable ? address : null,
    ports: reachable ? [...ports] : [],
    users,
    memoryMib: serviceVm.memoryMib,
    vcpus: serviceVm.vcpus,
    restarts: serviceVm.restarts,
    endReason: serviceVm.endReason,
    problem: serviceVm.problem,
    requestedAt: serviceVm.requestedAt.toISOString(),
    readyAt: serviceVm.readyAt?.toISOString() ?? null,
    endedAt: serviceVm.endedAt?.toISOString() ?? null,
  };
}
