import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { callerOf, type Caller } from '../auth/principal-of.ts';
import type { ApiContext } from '../context.ts';
import { apps } from './apps.ts';
import { bundles } from './bundles.ts';
import { cloudlet } from './cloudlet.ts';
import { editConsole } from './edit-console.ts';
import { events } from './events.ts';
import { images } from './images.ts';
import { operations } from './operations.ts';
import { plugins } from './plugins.ts';
import { serviceVms } from './service-vms.ts';
import { serviceEdits } from './service-edits.ts';
import { services } from './services.ts';
import { sessions } from './sessions.ts';
import { uploads } from './uploads.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; set before any handler of `/v1` runs. */
    caller: Caller;
  }
}

/** Our own API. */
export const v1: FastifyPluginAsyncTypebox<{ context: ApiContext }> = async (app, { context }) => {
  app.decorateRequest('caller');
  app.addHook('onRequest', async (request: FastifyRequest) => {
    request.caller = await callerOf(context, request);
  });
  for (const routes of [
    apps,
    cloudlet,
    services,
    serviceEdits,
    editConsole,
    images,
    serviceVms,
    operations,
    events,
    plugins,
    sessions,
    uploads,
    bundles,
  ])
    await app.register(routes, { context });
};
