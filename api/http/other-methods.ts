import type { FastifyInstance, HTTPMethods } from 'fastify';
import { CloudletError } from '../../workflows/contract/errors.ts';

const everyMethod: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/**
 * Watches which methods the routes of a scope have.
 * @param isConcerned leaves out paths that see to it themselves
 * @returns to be called when all are registered: every other method of their paths is then answered with 405
 */
export function refuseOtherMethods(app: FastifyInstance, isConcerned: (url: string) => boolean = () => true): () => void {
  const methodsOf = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const methods = methodsOf.get(url) ?? new Set<string>();
    for (const name of [method].flat()) methods.add(name);
    methodsOf.set(url, methods);
  });
  return () => {
    // Those registered so far: what is registered here must not be looked at again.
    const paths = Array.from(methodsOf).filter(([url]) => isConcerned(url));
    for (const [url, methods] of paths) {
      const allowed = [...methods].join(', ');
      app.route({
        url: url.slice(app.prefix.length) || '/',
        method: everyMethod.filter((method) => !methods.has(method)),
        schema: { hide: true },
        handler: (request, reply) => {
          void reply.header('allow', allowed);
          throw new CloudletError('method-not-allowed', `${request.method} is not for this path. It takes ${allowed}.`);
        },
      });
    }
  };
}
