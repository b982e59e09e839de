import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { findServiceView, listServiceViews } from '../../activities/store/service-views.ts';
import { changeService, createService, noService } from '../../activities/store/services.ts';
import { restoreService } from '../../activities/store/trash.ts';
import { startBuild } from '../../temporal/client/start-build.ts';
import { startRemoval } from '../../temporal/client/start-removal.ts';
import { leftToImage } from '../../workflows/contract/image-settings.ts';
import { NewService, ServiceChange, ServiceList, ServiceReplacement } from '../../workflows/contract/http.ts';
import { principalName } from '../../workflows/contract/principal.ts';
import { ServiceId } from '../../workflows/contract/service.ts';
import { msPerSecond } from '../../workflows/contract/units.ts';
import { authorize } from '../auth/authorize.ts';
import type { ApiContext } from '../context.ts';
import { nothing } from '../http/answers.ts';
import { idempotencyOf } from '../http/idempotency.ts';
import { IfMatchHeader, ifMatchOf } from '../http/if-match.ts';
import { waitPreferenceMs } from '../http/wait-preference.ts';
import { settledWithin } from '../settled-within.ts';
import { completeSpec } from '../../workflows/contract/complete-spec.ts';

const ById = Type.Object({ serviceId: ServiceId });
const Accepted = Type.Object({ operationId: Type.String() });
const flag = (description: string) => Type.Optional(Type.Union([Type.Literal('true'), Type.Literal('false')], { description }));
const bearer = [{ bearer: [] }];
/** A service that nobody uses is gone in less; the client need not come back for the outcome. */
const patienceMs = 5 * msPerSecond;

/** `GET` tells the entity tag of a service; whoever changes it on that may say so with `If-Match`. */
export const services: FastifyPluginAsyncTypebox<{ context: ApiContext }> = async (app, { context }) => {
  const { store, temporal } = context;
  const tags = ['services'];
  const adminTags = [...tags, 'admin'];

  const answerWith = async (reply: FastifyReply, serviceId: string) => {
    const found = await findServiceView(store, serviceId);
    if (!found) throw noService(serviceId);
    void reply.header('etag', found.tag);
    return found.view;
  };

  app.get(
    '/services',
    {
      schema: {
        tags,
        summary: 'Services of this cloudlet',
        querystring: Type.Object({ trashed: flag('Those in the trash instead; for admins') }),
        response: { 200: ServiceList },
      },
    },
    async (request) => {
      const trashed = request.query.trashed === 'true';
      await authorize(context, request.caller.principal, trashed ? 'service.manage' : 'service.list');
      return { services: await listServiceViews(store, { trashed }) };
    },
  );

  app.get(
    '/services/:serviceId',
    { schema: { tags, summary: 'One service', params: ById, response: { 200: Type.Ref('Service') } } },
    async (request, reply) => {
      await authorize(context, request.caller.principal, 'service.list');
      return answerWith(reply, request.params.serviceId);
    },
  );

  app.post(
    '/services',
    {
      schema: {
        tags: adminTags,
        summary: 'Make a service',
        description:
          'With a source (a disk, a container image, an entry of the catalogue) it is built, or built anew: the answer is the operation that does it. Without one it has no image yet and nobody can start it.',
        body: NewService,
        security: bearer,
        response: { 201: Type.Ref('Service'), 202: Accepted },
      },
    },
    async (request, reply) => {
      const principal = principalName(request.caller.principal);
      await authorize(context, request.caller.principal, 'service.manage');
      const { source, edit = false, save = source?.kind === 'pair' && !edit, ...given } = request.body;
      const spec = completeSpec(given, { portsFromImage: source?.kind === 'container' });
      const asked = { principal, ...idempotencyOf(request) };
      if (!source) {
        await createService(store, spec, asked);
        void reply.code(201).header('location', `/v1/services/${spec.serviceId}`);
        return answerWith(reply, spec.serviceId);
      }
      const { operationId } = await startBuild(store, temporal, { spec, leftToImage: leftToImage(given), source, save, edit, ...asked });
      return reply.code(202).header('location', `/v1/operations/${operationId}`).send({ operationId });
    },
  );

  const change = {
    tags: adminTags,
    description: 'Instances that run keep what they began with; new ones get what it is now.',
    params: ById,
    headers: IfMatchHeader,
    security: bearer,
    response: { 200: Type.Ref('Service') },
  };

  app.patch(
    '/services/:serviceId',
    { schema: { ...change, summary: 'Change some of a service', body: ServiceChange } },
    async (request, reply) => {
      await authorize(context, request.caller.principal, 'service.manage');
      const { serviceId } = request.params;
      await changeService(store, serviceId, ifMatchOf(request), (spec) => completeSpec({ ...spec, ...request.body }));
      return answerWith(reply, serviceId);
    },
  );

  app.put(
    '/services/:serviceId',
    { schema: { ...change, summary: 'Change all of a service', body: ServiceReplacement } },
    async (request, reply) => {
      await authorize(context, request.caller.principal, 'service.manage');
      const { serviceId } = request.params;
      const spec = completeSpec({ ...request.body, serviceId });
      await changeService(store, serviceId, ifMatchOf(request), () => spec);
      return answerWith(reply, serviceId);
    },
  );

  app.delete(
    '/services/:serviceId',
    {
      schema: {
        tags: adminTags,
        summary: 'Remove a service',
        description: 'It goes to the trash, from which it can be brought back for a while, unless it is purged. 202: that takes a while.',
        params: ById,
        headers: IfMatchHeader,
        querystring: Type.Object({
          stop: flag('End its instances; else it is refused while somebody uses one'),
          purge: flag('Delete it for good now, also from the trash'),
        }),
        security: bearer,
        response: { 202: Accepted, 204: nothing },
      },
    },
    async (request, reply) => {
      await authorize(context, request.caller.principal, 'service.manage');
      const { stop, purge } = request.query;
      const { operationId, ended } = await startRemoval(store, temporal, {
        serviceId: request.params.serviceId,
        stop: stop === 'true',
        purge: purge === 'true',
        principal: principalName(request.caller.principal),
        ifMatch: ifMatchOf(request),
        ...idempotencyOf(request),
      });
      const waitMs = waitPreferenceMs(request);
      const over = ended.then(() => true);
      await settledWithin(over, stop === 'true' ? waitMs : Math.max(waitMs, patienceMs));
      if (await Promise.race([over, Promise.resolve(false)])) return reply.code(204).send(null);
      return reply.code(202).header('location', `/v1/operations/${operationId}`).send({ operationId });
    },
  );

  app.post(
    '/services/:serviceId/restore',
    {
      schema: {
        tags: adminTags,
        summary: 'Bring a service back from the trash',
        params: ById,
        security: bearer,
        response: { 200: Type.Ref('Service') },
      },
    },
    async (request, reply) => {
      await authorize(context, request.caller.principal, 'service.manage');
      const { serviceId } = request.params;
      await restoreService(store, serviceId, ifMatchOf(request));
      return answerWith(reply, serviceId);
    },
  );
};
