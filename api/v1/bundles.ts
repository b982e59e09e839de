import { rm } from 'node:fs/promises';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { forgetBundle, listBundles, requireBundle } from '../../activities/store/bundles.ts';
import type { Bundle } from '../../activities/store/entities/bundle.ts';
import { startExport, startImport } from '../../temporal/client/start-bundle.ts';
import { NewBundle, NewImport, type BundleBody } from '../../workflows/contract/bundle.ts';
import { Uuid } from '../../workflows/contract/http.ts';
import { principalName } from '../../workflows/contract/principal.ts';
import { msPerSecond } from '../../workflows/contract/units.ts';
import { authorize } from '../auth/authorize.ts';
import type { ApiContext } from '../context.ts';
import { nothing } from '../http/answers.ts';
import { cursorPattern, decodeCursor, encodeCursor } from '../http/cursor.ts';
import { idempotencyOf } from '../http/idempotency.ts';
import { sendFile } from '../http/send-file.ts';

const ById = Type.Object({ id: Uuid });
const Accepted = Type.Object({ operationId: Type.String() });
const contentType = 'application/x-tar';

/** Services in one file, to be carried from one cloudlet to another. For admins. */
export const bundles: FastifyPluginAsyncTypebox<{ context: ApiContext }> = async (app, { context }) => {
  const { store, temporal } = context;
  const schema = { tags: ['bundles', 'admin'], security: [{ bearer: [] }] };
  app.addHook('preHandler', (request) => authorize(context, request.caller.principal, 'service.manage'));

  app.post(
    '/bundles',
    {
      schema: {
        ...schema,
        summary: 'Export a service; answers with the operation that writes its bundle',
        body: NewBundle,
        response: { 202: Accepted },
      },
    },
    async (request, reply) => {
      const { serviceId, compression = 'none' } = request.body;
      const asked = { principal: principalName(request.caller.principal), ...idempotencyOf(request) };
      const { operationId } = await startExport(store, temporal, { serviceId, compression, ...asked });
      return reply.code(202).header('location', `/v1/operations/${operationId}`).send({ operationId });
    },
  );

  app.post(
    '/bundles/imports',
    {
      schema: {
        ...schema,
        summary: 'Import a bundle (.csvm) or an OVA; answers with the operation that does it',
        description:
          'A service of the same name is refused unless it is to get a new version. An OVA says nothing of ports, and perhaps no name: say both.',
        body: NewImport,
        response: { 202: Accepted },
      },
    },
    async (request, reply) => {
      const { source, ...choices } = request.body;
      const asked = { principal: principalName(request.caller.principal), ...idempotencyOf(request) };
      const { operationId } = await startImport(store, temporal, { source, choices, ...asked });
      return reply.code(202).header('location', `/v1/operations/${operationId}`).send({ operationId });
    },
  );

  app.get(
    '/bundles/publisher',
    {
      schema: {
        ...schema,
        summary: 'The key that signs the bundles of this cloudlet; others trust it by CLOUDLET_TRUSTED_PUBLISHERS',
        response: { 200: Type.Object({ publicKey: Type.String({ description: 'Ed25519, base64url' }) }) },
      },
    },
    async () => ({ publicKey: await context.bundles.publicKey() }),
  );

  app.get(
    '/bundles',
    {
      schema: {
        ...schema,
        summary: 'Bundles that wait to be fetched, the latest first',
        querystring: Type.Object({
          cursor: Type.Optional(Type.String({ pattern: cursorPattern })),
          limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,2}$' })),
        }),
        response: { 200: Type.Object({ bundles: Type.Array(Type.Ref('Bundle')), next: Type.Union([Type.String(), Type.Null()]) }) },
      },
    },
    async (request) => {
      const { cursor, limit: limitText = '50' } = request.query;
      const limit = Number(limitText);
      const found = await listBundles(store, { ...(cursor === undefined ? {} : { before: decodeCursor(cursor) }), limit });
      const last = found.at(-1);
      return {
        bundles: found.map((bundle) => bundleBody(context, bundle)),
        next: last && found.length === limit ? encodeCursor({ at: last.createdAt, id: last.id }) : null,
      };
    },
  );

  app.get(
    '/bundles/:id',
    { schema: { ...schema, summary: 'One bundle', params: ById, response: { 200: Type.Ref('Bundle') } } },
    async (request) => bundleBody(context, await requireBundle(store, request.params.id)),
  );

  app.get(
    '/bundles/:id/file',
    {
      schema: {
        ...schema,
        summary: 'Download a bundle, whole or in ranges',
        params: ById,
        response: { 200: { description: 'The file', content: { [contentType]: { schema: Type.Any() } } } },
      },
    },
    async (request, reply) => {
      const bundle = await requireBundle(store, request.params.id);
      return sendFile(request, reply, {
        path: context.bundles.path(bundle.id),
        sha256: bundle.sha256,
        contentType,
        fileName: fileNameOf(bundle),
      });
    },
  );

  app.delete(
    '/bundles/:id',
    { schema: { ...schema, summary: 'Remove a bundle; its service stays', params: ById, response: { 204: nothing } } },
    async (request, reply) => {
      const { id } = request.params;
      await forgetBundle(store, id);
      // Where another machine has it, that removes it when it tidies up.
      await rm(context.bundles.path(id), { force: true });
      return reply.code(204).send(null);
    },
  );
};

const fileNameOf = ({ serviceId, imageVersion }: Bundle): string => `${serviceId}-${imageVersion}.csvm`;

function bundleBody({ store }: ApiContext, bundle: Bundle): BundleBody {
  const { id, serviceId, imageVersion, compression, sizeBytes, sha256, expiresAtMs, createdAt } = bundle;
  return {
    id,
    serviceId,
    imageVersion,
    compression,
    sizeBytes,
    sha256,
    fileName: fileNameOf(bundle),
    expiresInSeconds: Math.max(0, Math.round((expiresAtMs - store.clock.nowMs()) / msPerSecond)),
    createdAt: createdAt.toISOString(),
  };
}
