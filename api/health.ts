import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { ApiContext } from './context.ts';
import { checkReadiness } from './readiness.ts';

/** Whether this process lives, and whether the cloudlet would serve a start. */
export const health: FastifyPluginAsyncTypebox<{ context: ApiContext }> = async (app, { context }) => {
  app.get(
    '/health/live',
    {
      schema: {
        tags: ['health'],
        summary: 'Whether this process answers',
        response: { 200: Type.Object({ status: Type.Literal('live') }) },
      },
    },
    async () => ({ status: 'live' as const }),
  );

  app.get(
    '/health/ready',
    {
      schema: {
        tags: ['health'],
        summary: 'Whether a start would be served, or refused for lack of room alone',
        response: { 200: Type.Ref('Health'), 503: Type.Ref('Health') },
      },
    },
    async (_request, reply) => {
      const readiness = await checkReadiness(context);
      return reply.code(readiness.status === 'ready' ? 200 : 503).send(readiness);
    },
  );
};
