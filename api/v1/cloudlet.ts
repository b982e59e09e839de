import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { capacityOf, isFresh, listHosts } from '../../activities/store/hosts.ts';
import { listServiceViews } from '../../activities/store/service-views.ts';
import { currentLoad } from '../../activities/store/load.ts';
import { discoveryBrowse } from '../../plugins/runtime/extension-points.ts';
import type { HostCapacity } from '../../workflows/contract/cloudlet.ts';
import { authorize } from '../auth/authorize.ts';
import type { ApiContext } from '../context.ts';
import { cpuPercent } from '../machine.ts';
import { checkReadiness } from '../readiness.ts';

export const cloudlet: FastifyPluginAsyncTypebox<{ context: ApiContext }> = async (app, { context }) => {
  app.get(
    '/cloudlet',
    {
      schema: {
        tags: ['cloudlet'],
        summary: 'What this cloudlet is, has and does',
        response: { 200: Type.Ref('Cloudlet') },
      },
    },
    async (request) => {
      await authorize(context, request.caller.principal, 'cloudlet.read');
      const { store, identity, version, plugins } = context;
      const em = store.fork();
      const nowMs = store.clock.nowMs();
      const hosts = await Promise.all(
        (await listHosts(store)).map(async (host) => ({
          id: host.id,
          name: host.name,
          up: isFresh(host, nowMs),
          problem: host.hypervisorProblem,
          address: host.address,
          capacity: await capacityOf(em, host),
          accelerator: host.fingerprint?.accelerator,
        })),
      );
      const up = hosts.filter((host) => host.up);
      const peers = plugins.contributions(discoveryBrowse).flatMap(({ contribution }) => contribution.peers());
      return {
        id: identity.id,
        name: identity.name,
        version,
        ready: (await checkReadiness(context)).status === 'ready',
        capacity: sum(up.map(({ capacity }) => capacity)),
        load: { ...(await currentLoad(store)), cpuPercent: await cpuPercent() },
        accelerators: [...new Set(up.flatMap(({ accelerator }) => accelerator ?? []))],
        hosts,
        services: await listServiceViews(store),
        peers: peers.map(({ name, address, port }) => ({ name, address, port })),
      };
    },
  );
};

const sum = (capacities: readonly HostCapacity[]): HostCapacity =>
  capacities.reduce(
    (total, capacity) => ({
      vcpus: total.vcpus + capacity.vcpus,
      memoryMib: total.memoryMib + capacity.memoryMib,
      memoryReservedMib: total.memoryReservedMib + capacity.memoryReservedMib,
      memoryFreeMib: total.memoryFreeMib + capacity.memoryFreeMib,
      diskBytes: total.diskBytes + capacity.diskBytes,
      diskFreeBytes: total.diskFreeBytes + capacity.diskFreeBytes,
    }),
    { vcpus: 0, memoryMib: 0, memoryReservedMib: 0, memoryFreeMib: 0, diskBytes: 0, diskFreeBytes: 0 },
  );
