import type { FastifyRequest } from 'fastify';
import { findAppByObjectId, listApps as listStored } from '../../activities/store/apps.ts';
import type { App } from '../../activities/store/entities/app.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { authorize } from '../auth/authorize.ts';
import { deviceOrAddress } from '../auth/principal-of.ts';
import type { ApiContext } from '../context.ts';
import { sendFile } from '../http/send-file.ts';
import { objectId } from './object-id.ts';
import { parameter } from './parameters.ts';
import type { PycloudFileHandler, PycloudHandler } from './pycloud.ts';

/**
 * An app as pycloud showed it. Phones check what they downloaded by `md5sum`; where they are answered in cipher they
 * take the sum of that, so there it must be null.
 */
const pycloudApp = (app: App) => ({
  _id: objectId(app.id),
  name: app.name,
  service_id: app.serviceId,
  description: app.description,
  package_name: app.packageName,
  min_android_version: app.minAndroidVersion,
  md5sum: app.md5,
  app_version: app.appVersion,
  tags: app.tags,
});

/** Phones ask for their version of Android, too, and show what there is whatever they asked. */
export async function pycloudApps(context: ApiContext, request: FastifyRequest, tags?: readonly string[]) {
  await authorize(context, deviceOrAddress(request), 'app.list');
  return (await listStored(context.store, tags ? { tags } : {})).map(pycloudApp);
}

export const listApps: PycloudHandler = async (context, request) => {
  const tags = parameter(request, 'tags');
  return { apps: await pycloudApps(context, request, tags ? tags.split(',') : undefined) };
};

export const getApp: PycloudFileHandler = async (context, request, reply) => {
  await authorize(context, deviceOrAddress(request), 'app.list');
  const appId = parameter(request, 'appId', 'app_id');
  if (appId === undefined || appId === '') throw new CloudletError('invalid-input', 'Say which app: appId is missing.');
  const app = await findAppByObjectId(context.store, appId);
  if (!app) throw new CloudletError('not-found', `There is no app "${appId}" on this cloudlet.`);
  const { sha256, contentType, fileName, installedBy } = app;
  return sendFile(request, reply, { path: context.appFiles.file(installedBy), sha256, contentType, fileName });
};
