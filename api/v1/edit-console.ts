import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { requireEdit } from '../../activities/store/service-edits.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { ServiceId } from '../../workflows/contract/service.ts';
import { authorize } from '../auth/authorize.ts';
import type { ApiContext } from '../context.ts';
import { bytes } from '../http/answers.ts';
import { letBodyRest } from '../http/limit-bodies.ts';

/** The serial console of an editing VM, both ways at once in one request. */
export const editConsole: FastifyPluginAsyncTypebox<{ context: ApiContext }> = async (app, { context }) => {
  // What is typed is handed on as it comes, whatever it says it is.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));

  app.post(
    '/services/:serviceId/edit/console',
    {
      schema: {
        tags: ['services', 'admin'],
        security: [{ bearer: [] }],
        summary: 'The serial console of the editing VM of a service',
        description:
          'The body is typed as it comes, and the answer is what the guest prints from now on, until either side ends: `curl -sNT . -X POST …`. Whoever had the console before loses it.',
        params: Type.Object({ serviceId: ServiceId }),
        response: { 200: bytes('What the guest prints') },
      },
    },
    async (request, reply) => {
      await authorize(context, request.caller.principal, 'service.manage');
      const { serviceId } = request.params;
      const { serviceVm } = await requireEdit(context.store, serviceId);
      if (serviceVm.state !== 'ready' || serviceVm.bootId === null) {
        throw new CloudletError('state-conflict', `The editing VM of "${serviceId}" is not up.`, { state: serviceVm.state });
      }
      const terminal = await context.openConsole(serviceVm.bootId);
      letBodyRest(request.raw);
      reply.raw.once('close', () => terminal.destroy());
      pipeline(request.raw, terminal).catch(() => terminal.destroy());
      sendStream(reply, terminal);
      // Whoever types should know that somebody listens before the guest prints anything.
      reply.raw.flushHeaders();
      return reply;
    },
  );
};

const sendStream = (reply: FastifyReply, stream: Readable): unknown => reply.type('application/octet-stream').send(stream);
