import type { FastifyInstance } from 'fastify';
import { CloudletError } from '../../workflows/contract/errors.ts';

/**
 * Has JSON bodies read strictly: as UTF-8 that is valid, and without keys that would reach into JavaScript's objects.
 * No body at all is none, also where a client says that it would be JSON.
 */
export function readJsonBodies(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    if (bytes.length === 0) return done(null, undefined);
    let text: string;
    try {
      text = utf8.decode(bytes as Buffer);
    } catch {
      return done(new CloudletError('invalid-input', 'The body is not valid UTF-8.'));
    }
    return parseJson(request, text, done);
  });
}
