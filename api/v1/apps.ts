import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { changeApp, findApp, listApps, noApp, removeApp } from '../../activities/store/apps.ts';
import type { App } from '../../activities/store/entities/app.ts';
import { entityTag } from '../../activities/store/entity-tag.ts';
import { startInstall } from '../../temporal/client/start-install.ts';
import { AppChange, NewApp, type AppBody } from '../../workflows/contract/app.ts';
import { Uuid } from '../../workflows/contract/http.ts';
import { principalName } from '../../workflows/contract/principal.ts';
import { ServiceId } from '../../workflows/contract/service.ts';
import { authorize } from '../auth/authorize.ts';
import type { ApiContext } from '../context.ts';
import { fileOf, nothing } from '../http/answers.ts';
import { idempotencyOf } from '../http/idempotency.ts';
import { IfMatchHeader, ifMatchOf } from '../http/if-match.ts';
import { sendFile } from '../http/send-file.ts';

const ById = Type.Object({ id: Uuid });
const Accepted = Type.Object({ operationId: Type.String(), appId: Type.String() });
const appTypes = ['application/vnd.android.package-archive', 'application/zip', 'application/octet-stream'];
const bearer = [{ bearer: [] }];

/** Apps that phones download: clients of services. */
export const apps: FastifyPluginAsyncTypebox<{ context: ApiContext }> = async (app, { context }) => {
  const { store, temporal, appFiles } = context;
  const tags = ['apps'];
  const adminTags = [...tags, 'admin'];

  const require = async (id: string): Promise<App> => {
    const found = await findApp(store, id);
    if (!found) throw noApp(id);
    return found;
  };
  const answerWith = (reply: FastifyReply, found: App): AppBody => {
    void reply.header('etag', entityTag(found));
    return appBody(found);
  };

  app.get(
    '/apps',
    {
      schema: {
        tags,
        summary: 'Apps of this cloudlet',
        querystring: Type.Object({
          tags: Type.Optional(Type.String({ description: 'Those that have any of these, with commas between them' })),
          serviceId: Type.Optional(ServiceId),
        }),
        response: { 200: Type.Object({ apps: Type.Array(Type.Ref('App')) }) },
      },
    },
    async (request) => {
      await authorize(context, request.caller.principal, 'app.list');
      const { tags: anyOf, serviceId } = request.query;
      const found = await listApps(store, {
        ...(anyOf === undefined ? {} : { tags: anyOf.split(',') }),
        ...(serviceId === undefined ? {} : { serviceId }),
      });
      return { apps: found.map(appBody) };
    },
  );

  app.get(
    '/apps/:id',
    { schema: { tags, summary: 'One app', params: ById, response: { 200: Type.Ref('App') } } },
    async (request, reply) => {
      await authorize(context, request.caller.principal, 'app.list');
      return answerWith(reply, await require(request.params.id));
    },
  );

  app.get(
    '/apps/:id/file',
    {
      schema: {
        tags,
        summary: 'Download an app',
        description: 'Takes Range and If-Range; the ETag is the SHA-256 of the file.',
        params: ById,
        response: fileOf('The file', appTypes),
      },
    },
    async (request, reply) => {
      await authorize(context, request.caller.principal, 'app.list');
      const { sha256, contentType, fileName, installedBy } = await require(request.params.id);
      return sendFile(request, reply, { path: appFiles.file(installedBy), sha256, contentType, fileName });
    },
  );

  app.get(
    '/apps/:id/icon',
    {
      schema: {
        tags,
        summary: 'The picture of an app',
        params: ById,
        response: fileOf('A picture', ['image/png', 'image/webp', 'image/jpeg']),
      },
    },
    async (request, reply) => {
      await authorize(context, request.caller.principal, 'app.list');
      const { name, sha256, iconType, installedBy } = await require(request.params.id);
      if (iconType === null) throw noApp(`${name} with a picture`);
      return sendFile(request, reply, { path: appFiles.icon(installedBy), sha256: `icon-${sha256}`, contentType: iconType });
    },
  );

  app.post(
    '/apps',
    {
      schema: {
        tags: adminTags,
        summary: 'Make an upload an app',
        description: 'What is not said of an APK is read from it. Answers with the operation that looks it through and publishes it.',
        body: NewApp,
        security: bearer,
        response: { 202: Accepted },
      },
    },
    async (request, reply) => {
      const { principal } = request.caller;
      await authorize(context, principal, 'app.manage');
      const { uploadId, ...metadata } = request.body;
      const asked = { principal: principalName(principal), ...idempotencyOf(request) };
      const started = await startInstall(store, temporal, { uploadId, metadata, ...asked });
      return reply.code(202).header('location', `/v1/operations/${started.operationId}`).send(started);
    },
  );

  app.put(
    '/apps/:id/file',
    {
      schema: {
        tags: adminTags,
        summary: 'Replace the file of an app by an upload',
        description: 'Who downloads the old one gets all of it.',
        params: ById,
        body: Type.Object({ uploadId: NewApp.properties.uploadId }, { additionalProperties: false }),
        security: bearer,
        response: { 202: Accepted },
      },
    },
    async (request, reply) => {
      const { principal } = request.caller;
      await authorize(context, principal, 'app.manage');
      const asked = { principal: principalName(principal), ...idempotencyOf(request) };
      const { uploadId } = request.body;
      const started = await startInstall(store, temporal, { appId: request.params.id, uploadId, metadata: {}, ...asked });
      return reply.code(202).header('location', `/v1/operations/${started.operationId}`).send(started);
    },
  );

  app.patch(
    '/apps/:id',
    {
      schema: {
        tags: adminTags,
        summary: 'Change what is said of an app',
        params: ById,
        headers: IfMatchHeader,
        body: AppChange,
        security: bearer,
        response: { 200: Type.Ref('App') },
      },
    },
    async (request, reply) => {
      await authorize(context, request.caller.principal, 'app.manage');
      return answerWith(reply, await changeApp(store, request.params.id, ifMatchOf(request), request.body));
    },
  );

  app.delete(
    '/apps/:id',
    {
      schema: {
        tags: adminTags,
        summary: 'Remove an app',
        params: ById,
        headers: IfMatchHeader,
        security: bearer,
        response: { 204: nothing },
      },
    },
    async (request, reply) => {
      await authorize(context, request.caller.principal, 'app.manage');
      await appFiles.remove(await removeApp(store, request.params.id, ifMatchOf(request)));
      return reply.code(204).send(null);
    },
  );
};

const appBody = (found: App): AppBody => ({
  id: found.id,
  name: found.name,
  description: found.description,
  serviceId: found.serviceId,
  tags: [...found.tags],
  packageName: found.packageName,
  appVersion: found.appVersion,
  minAndroidVersion: found.minAndroidVersion,
  versionCode: found.versionCode,
  fileName: found.fileName,
  contentType: found.contentType,
  sizeBytes: found.sizeBytes,
  sha256: found.sha256,
  md5: found.md5,
  hasIcon: found.iconType !== null,
  createdAt: found.createdAt.toISOString(),
  updatedAt: found.updatedAt.toISOString(),
});
