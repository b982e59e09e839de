import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Server } from '@tus/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { listUploads } from '../../activities/store/uploads.ts';
import type { Upload } from '../../activities/store/entities/upload.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { Uuid } from '../../workflows/contract/http.ts';
import { msPerSecond } from '../../workflows/contract/units.ts';
import type { UploadBody } from '../../workflows/contract/upload.ts';
import { authorize } from '../auth/authorize.ts';
import type { ApiContext } from '../context.ts';
import { nothing } from '../http/answers.ts';
import { cursorPattern, decodeCursor, encodeCursor } from '../http/cursor.ts';
import { letBodyFlow, limitBody } from '../http/limit-bodies.ts';
import { putTusAnswer } from '../http/put-tus-answer.ts';

const ById = Type.Object({ id: Uuid });
const byteStream = 'application/offset+octet-stream';
/** A network that is gone for so long is found by the client, which resumes. */
const stallMs = 30 * msPerSecond;
/** How long whoever resumes an upload waits for its former connection to let go of it. */
const handOverMs = 200;

/** Files that are sent in pieces, by the protocol tus 1.0 (https://tus.io/protocols/resumable-upload). */
export const uploads: FastifyPluginAsyncTypebox<{ context: ApiContext }> = async (app, { context }) => {
  const tags = ['uploads', 'admin'];
  const security = [{ bearer: [] }];
  const files = context.uploads;

  const refusals = new WeakMap<Request, unknown>();
  const tus = new Server({
    path: '/v1/uploads',
    datastore: files,
    maxSize: files.maximumBytes,
    relativeLocation: true,
    lockDrainTimeout: handOverMs,
    namingFunction: () => randomUUID(),
    onIncomingRequest: async ({ method }, id) => {
      if (method === 'POST') return;
      await files.finish(id);
      const { operationId, fileName } = await files.require(id);
      if (operationId !== null && method !== 'HEAD')
        throw new CloudletError('operation-in-progress', `An operation works on the upload "${fileName}".`, { operationId });
    },
    onUploadFinish: async (_request, { id }) => {
      await files.finish(id);
      return {};
    },
    onResponseError: (request, error) => {
      refusals.set(request, error);
      return undefined;
    },
  });

  /** Has the library answer a request; its body streams to the disk for as long as something of it comes. */
  const answerByTus = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    await authorize(context, request.caller.principal, 'upload.manage');
    letBodyFlow(request.raw, stallMs);
    const asked = webRequest(request);
    try {
      const answer = await tus.handleWeb(asked);
      const refusal = refusals.get(asked);
      // Of its own it throws plain objects, which its answer tells of as well.
      if (refusal instanceof Error && !('status_code' in refusal)) throw refusal;
      await putTusAnswer(reply, answer);
      await reply.send();
    } finally {
      limitBody(request.raw);
    }
  };

  app.removeContentTypeParser(['application/json', 'text/plain']);
  app.addContentTypeParser([byteStream, 'application/json', 'text/plain', '*'], (_request, _payload, done) => done(null));
  app.addHook('onSend', async (request, reply) => {
    if (request.headers['tus-resumable'] !== undefined || request.method === 'OPTIONS') void reply.header('tus-resumable', '1.0.0');
  });

  app.route({
    method: 'OPTIONS',
    url: '/uploads',
    schema: { tags, summary: 'What the server knows of tus', response: { 204: nothing } },
    handler: answerByTus,
  });
  app.post(
    '/uploads',
    {
      schema: { tags, summary: 'Begin an upload: Upload-Length, Upload-Metadata (filename, sha256)', security, response: { 201: nothing } },
    },
    answerByTus,
  );
  app.head(
    '/uploads/:id',
    { schema: { tags, summary: 'Where to go on: Upload-Offset', security, params: ById, response: { 200: nothing } } },
    answerByTus,
  );
  app.patch(
    '/uploads/:id',
    { schema: { tags, summary: 'Send bytes, from Upload-Offset on', security, params: ById, response: { 204: nothing } } },
    answerByTus,
  );
  app.delete(
    '/uploads/:id',
    { schema: { tags, summary: 'Give an upload up', security, params: ById, response: { 204: nothing } } },
    answerByTus,
  );

  app.get(
    '/uploads',
    {
      exposeHeadRoute: false,
      schema: {
        tags,
        summary: 'Uploads, the latest first',
        security,
        querystring: Type.Object({
          cursor: Type.Optional(Type.String({ pattern: cursorPattern })),
          limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,2}$' })),
        }),
        response: { 200: Type.Object({ uploads: Type.Array(Type.Ref('Upload')), next: Type.Union([Type.String(), Type.Null()]) }) },
      },
    },
    async (request) => {
      await authorize(context, request.caller.principal, 'upload.manage');
      const { cursor, limit: limitText = '50' } = request.query;
      const limit = Number(limitText);
      const found = await listUploads(context.store, { ...(cursor === undefined ? {} : { before: decodeCursor(cursor) }), limit });
      const last = found.at(-1);
      return {
        uploads: await Promise.all(found.map((upload) => uploadBody(context, upload))),
        next: last && found.length === limit ? encodeCursor({ at: last.createdAt, id: last.id }) : null,
      };
    },
  );

  app.get(
    '/uploads/:id',
    {
      exposeHeadRoute: false,
      schema: { tags, summary: 'One upload', security, params: ById, response: { 200: Type.Ref('Upload') } },
    },
    async (request) => {
      await authorize(context, request.caller.principal, 'upload.manage');
      const { id } = request.params;
      await files.finish(id);
      return uploadBody(context, await files.require(id));
    },
  );
};

async function uploadBody({ uploads: files }: ApiContext, upload: Upload): Promise<UploadBody> {
  const { id, fileName, sizeBytes, sha256, operationId, createdAt } = upload;
  return {
    id,
    fileName,
    state: operationId !== null ? 'claimed' : sha256 !== null ? 'complete' : 'receiving',
    sizeBytes,
    receivedBytes: (await files.receivedBytes(id)) ?? 0,
    sha256,
    operationId,
    createdAt: createdAt.toISOString(),
  };
}

/** A request as the web's standard has it. To give an upload up, nobody needs to speak tus. */
function webRequest({ method, url, headers, raw }: FastifyRequest): Request {
  const given = Object.entries(headers).flatMap(([name, value]) => [value].flat().map((each): [string, string] => [name, each ?? '']));
  const bodied = method === 'POST' || method === 'PATCH';
  return new Request(new URL(url, 'http://cloudlet'), {
    method,
    headers: method === 'DELETE' ? [...given, ['tus-resumable', '1.0.0']] : given,
    ...(bodied ? { body: Readable.toWeb(raw) as NodeReadableStream<Uint8Array>, duplex: 'half' } : {}),
  });
}
