import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { ApiContext } from '../context.ts';
import { refuseOtherMethods } from '../http/other-methods.ts';
import { pythonJson } from './python-json.ts';
import { startServiceVm, stopServiceVm } from './service-vms.ts';
import { getService, listServices } from './services.ts';
import { getMessages, getSystem } from './system.ts';
import { getApp, listApps } from './apps.ts';
import { sendTextError } from './text-error.ts';

/** Answers one path. What it returns is sent as JSON. */
export type PycloudHandler = (context: ApiContext, request: FastifyRequest) => Promise<unknown>;

/** Answers one path with a file, which it sends itself. */
export type PycloudFileHandler = (context: ApiContext, request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

/** Every path that a stock client can ask, the spellings of 2015 among them. */
const routes: readonly (readonly [path: string, handler: PycloudHandler])[] = [
  ['/services', listServices],
  ['/services/get', getService],
  ['/servicevm/start', startServiceVm],
  ['/servicevm/stop', stopServiceVm],
  ['/apps', listApps],
  ['/system', getSystem],
  ['/system/get_messages', getMessages],
  ['/servicevm/listServices', listServices],
  ['/servicevm/find', getService],
  ['/app/getList', listApps],
  ['/cloudlet_info', getSystem],
];

/** Those that hand over a file. */
const fileRoutes: readonly (readonly [path: string, handler: PycloudFileHandler])[] = [
  ['/apps/get', getApp],
  ['/app/getApp', getApp],
];

/**
 * The dialect of pycloud 3.0.3, so that its phones work as they are: always a Content-Length, never chunked or compressed,
 * 200 for success and nothing else, JSON under the type that pycloud gave it.
 */
export const pycloud: FastifyPluginAsync<{ context: ApiContext }> = async (app: FastifyInstance, { context }) => {
  const finish = refuseOtherMethods(app);
  app.addHook('onRoute', (route) => {
    route.schema = { ...route.schema, hide: true };
  });
  app.setErrorHandler(sendTextError);
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, ({ method, url }) => {
    throw new CloudletError('not-found', `Nothing answers ${method} ${url.split('?', 1)[0]} here.`);
  });
  // Stock clients send forms, old ones whatever their library does; none of it is needed to understand them.
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) =>
    done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );

  for (const [path, handler] of routes) {
    app.get(path, async (request, reply) => sendJson(reply, await handler(context, request)));
  }
  for (const [path, handler] of fileRoutes) {
    app.get(path, (request, reply) => handler(context, request, reply));
  }
  app.get('/', () => {
    throw new CloudletError('not-found', 'There is nothing at /api itself. GET /api/services lists the services.');
  });
  finish();
};

function sendJson(reply: FastifyReply, value: unknown): FastifyReply {
  return reply
    .header('content-type', 'text/html; charset=utf-8')
    .header('cache-control', 'no-cache')
    .header('pragma', 'no-cache')
    .send(pythonJson(value));
}
