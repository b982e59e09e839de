import { randomUUID } from 'node:crypto';
import rateLimit from '@fastify/rate-limit';
import { fastifySSE } from '@fastify/sse';
import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox';
import fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { CloudletError, toProblem } from '../workflows/contract/errors.ts';
import type { ApiContext } from './context.ts';
import { health } from './health.ts';
import { logError, toApiError } from './http/to-api-error.ts';
import { collapseSlashes } from './http/collapse-slashes.ts';
import { metrics } from './metrics.ts';
import { openApi } from './openapi.ts';
import { pycloud } from './pycloud/pycloud.ts';
import { v1 } from './v1/v1.ts';

/** Limits that keep one client from holding the server; times in ms, sizes in bytes. */
export interface ApiLimits {
  /** Requests of one address in a second, on average over ten; the host itself is not counted. */
  readonly requestsPerSecond: number;
  readonly bodyBytes: number;
  /** From the first byte of a request to its last. */
  readonly requestTimeoutMs: number;
}

export const defaultLimits: ApiLimits = { requestsPerSecond: 50, bodyBytes: 256 * 1024, requestTimeoutMs: 20_000 };

const headerBytes = 16 * 1024;
const maximumConnections = 2_000;
const idleConnectionMs = 30_000;
const rateWindowSeconds = 10;

/** The whole API as one Fastify instance that listens nowhere yet. */
export async function buildApp(context: ApiContext, limits: ApiLimits = defaultLimits): Promise<FastifyInstance> {
  const loggerInstance: FastifyBaseLogger = context.log;
  const app: FastifyInstance = fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: idleConnectionMs,
    connectionTimeout: 0,
    return503OnClosing: true,
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    // Stock clients double slashes, and pycloud let them.
    rewriteUrl: ({ url }) => collapseSlashes(url ?? '/'),
    http: { maxHeaderSize: headerBytes, headersTimeout: limits.requestTimeoutMs, connectionsCheckingInterval: 1_000 },
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
  });
  app.server.maxConnections = maximumConnections;
  app.setValidatorCompiler(TypeBoxValidatorCompiler);

  app.setErrorHandler((error, request, reply) => {
    const answer = toApiError(error);
    logError(request, error, answer);
    if (answer.facts.retryAfterSeconds !== undefined) void reply.header('retry-after', String(answer.facts.retryAfterSeconds));
    void reply.header('content-type', 'application/problem+json; charset=utf-8');
    return reply.code(answer.kind.httpStatus).serializer(JSON.stringify).send(toProblem(answer, request.id));
  });
  await app.register(rateLimit, {
    max: limits.requestsPerSecond * rateWindowSeconds,
    timeWindow: rateWindowSeconds * 1000,
    allowList: (request) => isLoopback(request.ip),
    addHeaders: { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false, 'x-ratelimit-reset': false },
    addHeadersOnExceeding: { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false, 'x-ratelimit-reset': false },
  });
  await app.register(fastifySSE, { heartbeatInterval: 15_000 });
  await openApi(app, context);
  await app.register(health, { context });
  await app.register(metrics, { context });
  await app.register(v1, { prefix: '/v1', context });
  await app.register(pycloud, { prefix: '/api', context });
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, (request) => {
    throw new CloudletError('not-found', `There is nothing at ${request.url.split('?', 1)[0]}. The API is described at /docs.`);
  });
  return app;
}

const isLoopback = (address: string): boolean => address === '127.0.0.1' || address === '::1' || address === '::ffff:127.0.0.1';
