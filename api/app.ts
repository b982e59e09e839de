import { randomUUID } from 'node:crypto';
import rateLimit from '@fastify/rate-limit';
import { fastifySSE } from '@fastify/sse';
import fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { CloudletError } from '../workflows/contract/errors.ts';
import type { ApiContext } from './context.ts';
import { health } from './health.ts';
import { answerClientError } from './http/answer-client-error.ts';
import { guardConnections, type ConnectionLimits } from './http/guard-connections.ts';
import { isLoopback } from './http/is-loopback.ts';
import { readJsonBodies } from './http/json-body.ts';
import { limitBodies } from './http/limit-bodies.ts';
import { normalizeUrl } from './http/normalize-url.ts';
import { refuseOtherMethods } from './http/other-methods.ts';
import { refuseBadText } from './http/refuse-bad-text.ts';
import { refuseWhenClosing } from './http/refuse-when-closing.ts';
import { sendProblem } from './http/send-problem.ts';
import { validatorCompiler } from './http/validator-compiler.ts';
import { metrics } from './metrics.ts';
import { openApi } from './openapi.ts';
import { pycloud } from './pycloud/pycloud.ts';
import { sendTextError } from './pycloud/text-error.ts';
import { v1 } from './v1/v1.ts';

/** Limits that keep one client from holding the server; times in ms, sizes in bytes. */
export interface ApiLimits extends ConnectionLimits {
  /** Requests of one address in a second, on average over ten; the host itself is not counted. */
  readonly requestsPerSecond: number;
  readonly bodyBytes: number;
  /** From the first byte of a request to its last. */
  readonly requestTimeoutMs: number;
}

export const defaultLimits: ApiLimits = {
  requestsPerSecond: 50,
  bodyBytes: 256 * 1024,
  requestTimeoutMs: 20_000,
  connections: 2_000,
  connectionsPerAddress: 500,
  stalledReaderMs: 60_000,
};

const headerBytes = 16 * 1024;
const idleConnectionMs = 30_000;
const rateWindowSeconds = 10;
const pycloudPrefix = '/api';

/** The whole API as one Fastify instance that listens nowhere yet. */
export async function buildApp(context: ApiContext, limits: ApiLimits = defaultLimits): Promise<FastifyInstance> {
  const loggerInstance: FastifyBaseLogger = context.log;
  const app: FastifyInstance = fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.bodyBytes,
    // Ours is per request: see limitBodies.
    requestTimeout: 0,
    keepAliveTimeout: idleConnectionMs,
    return503OnClosing: false,
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    rewriteUrl: ({ url }) => normalizeUrl(url ?? '/'),
    clientErrorHandler: answerClientError,
    // Of paths that cannot be decoded: no route is known yet, so no error handler either.
    frameworkErrors: (error, request, reply) => {
      const send = request.url.startsWith(`${pycloudPrefix}/`) ? sendTextError : sendProblem;
      void send(error, request, reply);
    },
    http: { maxHeaderSize: headerBytes, headersTimeout: limits.requestTimeoutMs, connectionsCheckingInterval: 1_000 },
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
  });
  guardConnections(app.server, limits);
  limitBodies(app.server, limits.requestTimeoutMs);
  app.setValidatorCompiler(validatorCompiler);
  app.setErrorHandler(sendProblem);
  readJsonBodies(app);
  refuseWhenClosing(app);
  app.addHook('preValidation', refuseBadText);

  await app.register(rateLimit, {
    max: limits.requestsPerSecond * rateWindowSeconds,
    timeWindow: rateWindowSeconds * 1000,
    allowList: (request) => isLoopback(request.ip),
    errorResponseBuilder: (_request, { ttl }) => tooMany(ttl),
    addHeaders: { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false, 'x-ratelimit-reset': false },
    addHeadersOnExceeding: { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false, 'x-ratelimit-reset': false },
  });
  await app.register(fastifySSE, { heartbeatInterval: 15_000 });
  const refuseTheRest = refuseOtherMethods(app, (url) => !url.startsWith(pycloudPrefix));
  await openApi(app, context);
  metrics(app, context);
  await app.register(health, { context });
  await app.register(v1, { prefix: '/v1', context });
  await app.register(pycloud, { prefix: pycloudPrefix, context });
  refuseTheRest();
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, ({ method, url }) => {
    throw new CloudletError('not-found', `Nothing answers ${method} ${url.split('?', 1)[0]} here. The API is described at /docs.`);
  });
  return app;
}

const tooMany = (ttlMs: number): CloudletError =>
  new CloudletError('rate-limited', 'Too many requests came from this address. Wait a little before the next.', {
    retryAfterSeconds: Math.max(1, Math.ceil(ttlMs / 1000)),
  });
