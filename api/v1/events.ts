import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { authorize } from '../auth/authorize.ts';
import type { ApiContext } from '../context.ts';
import { events as eventsAnswer } from '../http/answers.ts';
import { eventStream, lastEventId, sendEvents } from '../http/send-events.ts';

export const events: FastifyPluginAsyncTypebox<{ context: ApiContext }> = async (app, { context }) => {
  app.get(
    '/events',
    {
      ...eventStream,
      schema: {
        tags: ['events'],
        summary: 'What happens on this cloudlet, as server-sent events',
        description: 'From now on, or after `Last-Event-ID`. Everybody sees what is public; admins see everything.',
        response: { 200: eventsAnswer },
      },
    },
    async (request, reply) => {
      const { principal } = request.caller;
      const publicOnly = principal.kind !== 'token';
      if (!publicOnly) await authorize(context, principal, 'event.read');
      const after = lastEventId(request) ?? (await context.feed.latest());
      await sendEvents(reply, context.feed.watch({ after, publicOnly }, request.signal));
    },
  );
};
