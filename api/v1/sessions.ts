import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { createSession, createSignInCode, endSession } from '../../activities/store/sessions.ts';
import { authorize } from '../auth/authorize.ts';
import type { ApiContext } from '../context.ts';
import { nothing } from '../http/answers.ts';

/** Signing in to the manager: an admin makes a code that works once, and whoever brings it gets a session. */
export const sessions: FastifyPluginAsyncTypebox<{ context: ApiContext }> = async (app, { context }) => {
  const tags = ['admin'];

  app.post(
    '/sign-in-codes',
    {
      schema: {
        tags,
        summary: 'Make a code that signs in once',
        security: [{ bearer: [] }],
        response: { 201: Type.Object({ code: Type.String(), expiresInSeconds: Type.Integer() }) },
      },
    },
    async (request, reply) => {
      await authorize(context, request.caller.principal, 'session.create');
      return reply.code(201).send(await createSignInCode(context.store));
    },
  );

  app.post(
    '/sessions',
    {
      config: { rateLimit: { max: 10, timeWindow: 60_000, allowList: [] } },
      schema: {
        tags,
        summary: 'Turn a code into a session',
        body: Type.Object({ code: Type.String({ minLength: 1, maxLength: 200 }) }, { additionalProperties: false }),
        response: { 201: Type.Object({ token: Type.String(), expiresInSeconds: Type.Integer() }) },
      },
    },
    async (request, reply) => reply.code(201).send(await createSession(context.store, request.body.code)),
  );

  app.delete(
    '/sessions/current',
    { schema: { tags, summary: 'Sign out', security: [{ bearer: [] }], response: { 204: nothing } } },
    async (request, reply) => {
      const token = request.headers.authorization?.slice('Bearer '.length) ?? '';
      await endSession(context.store, token);
      return reply.code(204).send(null);
    },
  );
};
