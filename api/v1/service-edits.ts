import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { findService } from '../../activities/store/services.ts';
import { requireEdit } from '../../activities/store/service-edits.ts';
import { cancelOperation } from '../../temporal/client/operation-workflow.ts';
import { saveEdit } from '../../temporal/client/save-edit.ts';
import { startBuild } from '../../temporal/client/start-build.ts';
import { CloudletError, fromProblem } from '../../workflows/contract/errors.ts';
import { principalName } from '../../workflows/contract/principal.ts';
import { ServiceId } from '../../workflows/contract/service.ts';
import { authorize } from '../auth/authorize.ts';
import type { ApiContext } from '../context.ts';
import { plainText } from '../http/answers.ts';
import { idempotencyOf } from '../http/idempotency.ts';
import { waitPreferenceMs } from '../http/wait-preference.ts';
import { settledWithin } from '../settled-within.ts';
import { waitForOperation } from '../wait-for-operation.ts';

const ById = Type.Object({ serviceId: ServiceId });
const OperationId = Type.Object({ operationId: Type.String() });

/** Editing VMs: an admin changes the image of a service by hand, and saves that as its next version or discards it. */
export const serviceEdits: FastifyPluginAsyncTypebox<{ context: ApiContext }> = async (app, { context }) => {
  const { store, temporal, starter } = context;
  const common = { tags: ['services', 'admin'], params: ById, security: [{ bearer: [] }] };
  const accepted = (reply: FastifyReply, operationId: string) =>
    reply.code(202).header('location', `/v1/operations/${operationId}`).send({ operationId });

  app.post(
    '/services/:serviceId/edit',
    {
      schema: {
        ...common,
        summary: 'Boot an image of a service to change it by hand; answers with the operation that lasts until that is saved or discarded',
        description: 'At once, or with `Prefer: wait=N` when the editing VM is up, after N seconds at most.',
        querystring: Type.Object({
          version: Type.Optional(
            Type.String({ pattern: '^[1-9][0-9]{0,6}$', description: 'Which image of it; the present one unless said' }),
          ),
        }),
        response: { 202: OperationId },
      },
    },
    async (request, reply) => {
      const { principal } = request.caller;
      await authorize(context, principal, 'service.manage');
      const { serviceId } = request.params;
      const service = await findService(store, serviceId);
      if (!service) throw new CloudletError('not-found', `There is no service "${serviceId}" on this cloudlet.`);
      const { version } = request.query;
      const { operationId } = await startBuild(store, temporal, {
        spec: service.spec,
        source: { kind: 'service', serviceId, ...(version === undefined ? {} : { version: Number(version) }) },
        save: false,
        edit: true,
        principal: principalName(principal),
        ...idempotencyOf(request),
      });
      const { problem } = await waitForOperation(context, operationId, request, ({ type }) => type === 'service-vm.ready');
      if (problem) throw fromProblem(problem);
      return accepted(reply, operationId);
    },
  );

  app.get(
    '/services/:serviceId/edit',
    { schema: { ...common, summary: 'Where to reach the editing VM of a service', response: { 200: Type.Ref('ServiceEdit') } } },
    async (request) => {
      await authorize(context, request.caller.principal, 'service.manage');
      const { operation, serviceVm, ports, address } = await requireEdit(store, request.params.serviceId);
      const ready = serviceVm.state === 'ready';
      return {
        operationId: operation.id,
        principal: operation.principal,
        state: serviceVm.state,
        message: operation.progress?.message ?? null,
        imageVersion: serviceVm.image!.getEntity().number,
        address: ready ? address : null,
        ports: ready ? [...ports] : [],
        vnc: serviceVm.vncPort === null ? null : { host: '127.0.0.1', port: serviceVm.vncPort },
        domainUuid: serviceVm.bootId,
        startedAt: serviceVm.requestedAt.toISOString(),
      };
    },
  );

  app.get(
    '/services/:serviceId/edit/log',
    { schema: { ...common, summary: 'What the guest wrote to its serial console', response: { 200: plainText('The last MiB of it') } } },
    async (request, reply) => {
      await authorize(context, request.caller.principal, 'service.manage');
      const { serviceVm } = await requireEdit(store, request.params.serviceId);
      return reply.type('text/plain; charset=utf-8').send((await context.readSerialLog(serviceVm.id)) ?? '');
    },
  );

  app.post(
    '/services/:serviceId/edit/save',
    {
      schema: {
        ...common,
        summary: 'Save disk and memory as the next image of the service; `Prefer: wait=N` waits, and tells of what it failed',
        response: { 202: OperationId },
      },
    },
    async (request, reply) => {
      await authorize(context, request.caller.principal, 'service.manage');
      const { operation, serviceVm } = await requireEdit(store, request.params.serviceId);
      const { saved } = await saveEdit(temporal, serviceVm.id);
      await settledWithin(saved, waitPreferenceMs(request));
      return accepted(reply, operation.id);
    },
  );

  app.delete(
    '/services/:serviceId/edit',
    { schema: { ...common, summary: 'Discard what was edited', response: { 202: OperationId } } },
    async (request, reply) => {
      const { principal } = request.caller;
      await authorize(context, principal, 'service.manage');
      const { operation } = await requireEdit(store, request.params.serviceId);
      await cancelOperation(temporal, starter, operation, principalName(principal));
      return accepted(reply, operation.id);
    },
  );
};
