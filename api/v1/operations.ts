import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { findOperation, listOperations } from '../../activities/store/operations.ts';
import type { Operation } from '../../activities/store/entities/operation.ts';
import { cancelOperation } from '../../temporal/client/operation-workflow.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { Uuid } from '../../workflows/contract/http.ts';
import { operationKinds, operationStates } from '../../workflows/contract/operation.ts';
import { principalName } from '../../workflows/contract/principal.ts';
import { ServiceId } from '../../workflows/contract/service.ts';
import { authorize } from '../auth/authorize.ts';
import type { ApiContext } from '../context.ts';
import { events, plainText } from '../http/answers.ts';
import { cursorPattern, decodeCursor, encodeCursor } from '../http/cursor.ts';
import { eventStream, lastEventId, sendEvents } from '../http/send-events.ts';
import { describeOperation } from '../describe-operation.ts';
import { hasEnded, waitForOperation } from '../wait-for-operation.ts';

const ById = Type.Object({ id: Uuid });

/**
 * Operations. Their ids cannot be guessed, so whoever knows one asked for it, or was told by who did.
 */
export const operations: FastifyPluginAsyncTypebox<{ context: ApiContext }> = async (app, { context }) => {
  const tags = ['operations'];

  app.get(
    '/operations',
    {
      schema: {
        tags: [...tags, 'admin'],
        summary: 'Operations, the latest first',
        security: [{ bearer: [] }],
        querystring: Type.Object({
          state: Type.Optional(Type.Enum([...operationStates])),
          kind: Type.Optional(Type.Enum([...operationKinds])),
          subject: Type.Optional(Type.String({ maxLength: 200, description: 'What they are about, e.g. the id of a Service VM' })),
          serviceId: Type.Optional({ ...ServiceId, description: 'About this service, or a Service VM of it' }),
          cursor: Type.Optional(Type.String({ pattern: cursorPattern })),
          limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,2}$' })),
        }),
        response: { 200: Type.Object({ operations: Type.Array(Type.Ref('Operation')), next: Type.Union([Type.String(), Type.Null()]) }) },
      },
    },
    async (request) => {
      await authorize(context, request.caller.principal, 'operation.list');
      const { state, kind, subject, serviceId, cursor, limit: limitText = '50' } = request.query;
      const limit = Number(limitText);
      const found = await listOperations(context.store, {
        ...(state ? { states: [state] } : {}),
        ...(kind ? { kind } : {}),
        ...(subject === undefined ? {} : { subject }),
        ...(serviceId === undefined ? {} : { serviceId }),
        ...(cursor === undefined ? {} : { before: decodeCursor(cursor) }),
        limit,
      });
      const described = await Promise.all(found.map((operation) => describeOperation(context, operation, { admin: true, live: false })));
      const last = found.at(-1);
      return { operations: described, next: last && found.length === limit ? encodeCursor({ at: last.createdAt, id: last.id }) : null };
    },
  );

  app.get(
    '/operations/:id',
    {
      schema: {
        tags,
        summary: 'How far an operation is',
        description: 'At once, or with `Prefer: wait=N` when it has ended, after N seconds at most.',
        params: ById,
        response: { 200: Type.Ref('Operation') },
      },
    },
    async (request) => {
      const { id } = request.params;
      await requireOperation(id);
      const { principal } = request.caller;
      await authorize(context, principal, 'operation.read', { owned: true });
      const operation = await waitForOperation(context, id, request);
      return describeOperation(context, operation, { admin: principal.kind === 'token', live: true });
    },
  );

  app.get(
    '/operations/:id/events',
    {
      ...eventStream,
      schema: { tags, summary: 'What happens to an operation, as server-sent events', params: ById, response: { 200: events } },
    },
    async (request, reply) => {
      const operation = await requireOperation(request.params.id);
      await authorize(context, request.caller.principal, 'operation.read', { owned: true });
      await sendEvents(reply, untilSettled(operation, lastEventId(request) ?? 0, request.signal));
    },
  );

  app.get(
    '/operations/:id/log',
    {
      schema: {
        tags: [...tags, 'admin'],
        summary: 'What the commands of a recipe wrote, as it is being written',
        params: ById,
        security: [{ bearer: [] }],
        querystring: Type.Object({
          from: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$', description: 'First byte; without it the last MiB' })),
        }),
        response: { 200: plainText('At most a MiB of it') },
      },
    },
    async (request, reply) => {
      await authorize(context, request.caller.principal, 'operation.list');
      const { id } = await requireOperation(request.params.id);
      const { from } = request.query;
      const log = await context.readOperationLog(id, from === undefined ? undefined : Number(from));
      if (log === undefined) throw new CloudletError('not-found', 'This operation wrote no log on this host, or not yet, or long ago.');
      return reply.type('text/plain; charset=utf-8').send(log.toString('utf8'));
    },
  );

  app.post(
    '/operations/:id/cancel',
    {
      schema: {
        tags,
        summary: 'Ask an operation to end, and to undo what it did',
        params: ById,
        response: { 202: Type.Ref('Operation') },
      },
    },
    async (request, reply) => {
      const operation = await requireOperation(request.params.id);
      const { principal } = request.caller;
      await authorize(context, principal, 'operation.cancel', { owned: operation.principal === principalName(principal) });
      if (operation.state !== 'running') {
        throw new CloudletError('state-conflict', `The operation has ${operation.state} already.`, { state: operation.state });
      }
      await cancelOperation(context.temporal, context.starter, operation, principalName(principal));
      return reply.code(202).send(await describeOperation(context, operation, { admin: principal.kind === 'token', live: true }));
    },
  );

  async function requireOperation(id: string): Promise<Operation> {
    const operation = await findOperation(context.store, id);
    if (!operation) throw new CloudletError('not-found', `There is no operation ${id}.`);
    return operation;
  }

  /** Events of an operation up to the one that says how it ended. A client that comes back may have got that already. */
  async function* untilSettled({ id: operationId, state }: Operation, after: number, signal: AbortSignal) {
    const { feed } = context;
    for await (const event of state === 'running' ? feed.watch({ after, operationId }, signal) : feed.past({ after: 0, operationId })) {
      if (event.seq > after) yield event;
      if (hasEnded(event)) return;
    }
  }
};
