import type { FastifyInstance } from 'fastify';
import { CloudletError } from '../../workflows/contract/errors.ts';

/** Refuses requests that come over open connections once the server is stopping; those under way are finished. */
export function refuseWhenClosing(app: FastifyInstance): void {
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
  });
  app.addHook('onRequest', async (_request, reply) => {
    if (!closing) return;
    void reply.header('connection', 'close');
    throw new CloudletError('shutting-down', 'The cloudlet is stopping. Ask again when it is back.', { retryAfterSeconds: 5 });
  });
}
