import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { listImages } from '../../activities/store/image-views.ts';
import { deleteServiceImage, listServiceImages, selectServiceImage } from '../../activities/store/service-images.ts';
import { findServiceView } from '../../activities/store/service-views.ts';
import { noService } from '../../activities/store/services.ts';
import { startVerification } from '../../temporal/client/start-verification.ts';
import { principalName } from '../../workflows/contract/principal.ts';
import { ServiceId } from '../../workflows/contract/service.ts';
import { authorize } from '../auth/authorize.ts';
import type { ApiContext } from '../context.ts';
import { nothing } from '../http/answers.ts';
import { idempotencyOf } from '../http/idempotency.ts';
import { IfMatchHeader, ifMatchOf } from '../http/if-match.ts';

const ofService = { serviceId: ServiceId };
const ByVersion = Type.Object({ ...ofService, version: Type.String({ pattern: '^[1-9][0-9]{0,8}$' }) });

/** Images are admins' business: the files of all hosts, and the versions of each service. */
export const images: FastifyPluginAsyncTypebox<{ context: ApiContext }> = async (app, { context }) => {
  const { store, temporal } = context;
  const common = { tags: ['images', 'admin'], security: [{ bearer: [] }] };

  app.addHook('preHandler', (request) => authorize(context, request.caller.principal, 'service.manage'));

  app.get(
    '/images',
    {
      schema: {
        ...common,
        summary: 'Images on all hosts, the latest first',
        response: { 200: Type.Object({ images: Type.Array(Type.Ref('Image')) }) },
      },
    },
    async () => ({ images: await listImages(store) }),
  );

  app.post(
    '/images/verify',
    {
      schema: {
        ...common,
        summary: 'Hash all images, and report those that are damaged',
        description: 'The result of the operation names them; `GET /v1/images` says of every copy how it was found.',
        response: { 202: Type.Object({ operationId: Type.String() }) },
      },
    },
    async (request, reply) => {
      const principal = principalName(request.caller.principal);
      const { operationId } = await startVerification(store, temporal, { principal, ...idempotencyOf(request) });
      return reply.code(202).header('location', `/v1/operations/${operationId}`).send({ operationId });
    },
  );

  app.get(
    '/services/:serviceId/images',
    {
      schema: {
        ...common,
        summary: 'Versions of the image of a service, the latest first',
        params: Type.Object(ofService),
        response: { 200: Type.Object({ images: Type.Array(Type.Ref('ServiceImage')) }) },
      },
    },
    async (request) => ({ images: await listServiceImages(store, request.params.serviceId) }),
  );

  app.post(
    '/services/:serviceId/images/:version/select',
    {
      schema: {
        ...common,
        summary: 'Have new instances start from this version: go back, or forth again',
        params: ByVersion,
        headers: IfMatchHeader,
        response: { 200: Type.Ref('Service') },
      },
    },
    async (request, reply) => {
      const { serviceId, version } = request.params;
      await selectServiceImage(store, serviceId, Number(version), ifMatchOf(request));
      const found = await findServiceView(store, serviceId);
      if (!found) throw noService(serviceId);
      void reply.header('etag', found.tag);
      return found.view;
    },
  );

  app.delete(
    '/services/:serviceId/images/:version',
    { schema: { ...common, summary: 'Delete a version that nothing starts from', params: ByVersion, response: { 204: nothing } } },
    async (request, reply) => {
      const { serviceId, version } = request.params;
      await deleteServiceImage(store, serviceId, Number(version));
      return reply.code(204).send(null);
    },
  );
};
