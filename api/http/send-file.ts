import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { byteRange } from './byte-range.ts';

export interface SentFile {
  readonly path: string;
  /** Of the whole file, hex: its ETag. */
  readonly sha256: string;
  readonly contentType: string;
  /** What clients save it as; without one they show it. */
  readonly fileName?: string;
}

/**
 * Sends a file that never changes under its hash: whole, or the part that `Range` asks for, so that a download goes on
 * where it broke off. Always with a length, never compressed. Who downloads it while it is replaced gets all of the
 * old one: it is opened once, and stays until the last reader is done.
 * @throws CloudletError `not-found`, `precondition-failed`, `range-not-satisfiable`
 */
export async function sendFile(request: FastifyRequest, reply: FastifyReply, file: SentFile): Promise<FastifyReply> {
  const handle = await open(file.path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new CloudletError('not-found', `The file "${file.fileName ?? file.sha256}" is gone from this cloudlet.`);
  });
  try {
    const { size } = await handle.stat();
    const etag = `"${file.sha256}"`;
    void reply.headers({ etag, 'accept-ranges': 'bytes', 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff' });
    const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch, range, 'if-range': ifRange } = request.headers;
    if (ifMatch !== undefined && !names(ifMatch, etag)) {
      throw new CloudletError('precondition-failed', 'The file is another by now. Download it from its beginning.');
    }
    if (ifNoneMatch !== undefined && names(ifNoneMatch, etag)) {
      await handle.close();
      return reply.code(304).send();
    }
    const asked = range !== undefined && (ifRange === undefined || ifRange === etag) ? byteRange(range, size) : 'whole';
    if (asked === 'unsatisfiable') {
      void reply.header('content-range', `bytes */${size}`);
      throw new CloudletError('range-not-satisfiable', `The file has ${size} bytes, and none of those that were asked for.`);
    }
    const { first, last } = asked === 'whole' ? { first: 0, last: size - 1 } : asked;
    if (asked !== 'whole') void reply.code(206).header('content-range', `bytes ${first}-${last}/${size}`);
    void reply.header('content-type', file.contentType).header('content-length', String(last - first + 1));
    if (file.fileName !== undefined) void reply.header('content-disposition', attachment(file.fileName));
    if (request.method === 'HEAD' || last < first) {
      await handle.close();
      // Of no payload at all Fastify would say that its length is 0.
      return reply.send(Readable.from([]));
    }
    return reply.send(handle.createReadStream({ start: first, end: last, highWaterMark: 256 * 1024 }));
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Whether `If-Match` or `If-None-Match` names this version. */
const names = (header: string, etag: string): boolean =>
  header.trim() === '*' || header.split(',').some((each) => each.trim().replace(/^W\//, '') === etag);

/** RFC 6266: a name for old clients, and the true one where it has other characters. */
function attachment(fileName: string): string {
  const plain = fileName.replaceAll(/[^\x20-\x7e]|["\\]/g, '_');
  const encoded = encodeURIComponent(fileName).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"${plain === fileName ? '' : `; filename*=UTF-8''${encoded}`}`;
}
