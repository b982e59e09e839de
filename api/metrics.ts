import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { capacityOf, isFresh, listHosts } from '../activities/store/hosts.ts';
import { currentLoad } from '../activities/store/load.ts';
import { countWarm } from '../activities/store/warm-service-vms.ts';
import { startDurations } from '../activities/store/start-durations.ts';
import { bytesPerMib } from '../workflows/contract/units.ts';
import { authorize } from './auth/authorize.ts';
import { callerOf } from './auth/principal-of.ts';
import type { ApiContext } from './context.ts';
import { plainText } from './http/answers.ts';

const prefix = 'cloudlet_';

/**
 * Figures for Prometheus: of this process as they happen, of the cloudlet as the database has them when asked. Counts the
 * requests of all routes that are registered afterwards, so it is no scope of its own.
 */
export function metrics(app: FastifyInstance, context: ApiContext): void {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix });
  const requests = new Histogram({
    name: `${prefix}http_request_duration_seconds`,
    help: 'Time from a request to the end of its answer',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  });
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Gauge({ name: prefix + name, help, labelNames, registers: [registry] });
  const serviceVms = gauge('service_vms', 'Service VMs that live');
  const warmServiceVms = gauge('warm_service_vms', 'Instances started ahead of time, not claimed', ['service', 'state']);
  const users = gauge('users', 'Users of all Service VMs');
  const memoryTotal = gauge('memory_total_bytes', 'What Service VMs of a host may hold together', ['host']);
  const memoryReserved = gauge('memory_reserved_bytes', 'What Service VMs of a host hold', ['host']);
  const diskTotal = gauge('disk_total_bytes', 'Size of the file system for disks on a host', ['host']);
  const diskFree = gauge('disk_free_bytes', 'Free space for disks on a host', ['host']);
  const hostUp = gauge('host_up', 'Whether a host takes instances', ['host']);
  const startSeconds = gauge('start_seconds', 'From request to ready over the last hour', ['service', 'rung', 'quantile']);

  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    requests.labels(request.method, route, String(reply.statusCode)).observe(reply.elapsedTime / 1000);
  });

  app.get(
    '/metrics',
    { schema: { tags: ['health'], summary: 'Figures for Prometheus', response: { 200: plainText('In the text format of Prometheus') } } },
    async (request, reply) => {
      const { principal } = await callerOf(context, request);
      await authorize(context, principal, 'metrics.read');
      const { store } = context;
      const load = await currentLoad(store);
      serviceVms.set(load.serviceVms);
      users.set(load.users);
      warmServiceVms.reset();
      for (const { serviceId, state, count } of await countWarm(store)) warmServiceVms.labels(serviceId, state).set(count);
      for (const host of await listHosts(store)) {
        const capacity = await capacityOf(store.fork(), host);
        memoryTotal.labels(host.name).set(capacity.memoryMib * bytesPerMib);
        memoryReserved.labels(host.name).set(capacity.memoryReservedMib * bytesPerMib);
        diskTotal.labels(host.name).set(capacity.diskBytes);
        diskFree.labels(host.name).set(capacity.diskFreeBytes);
        hostUp.labels(host.name).set(isFresh(host, store.clock.nowMs()) && host.hypervisorProblem === null ? 1 : 0);
      }
      startSeconds.reset();
      for (const { serviceId, rung, quantile, seconds } of await startDurations(store))
        startSeconds.labels(serviceId, rung, quantile).set(seconds);
      return reply.header('content-type', registry.contentType).send(await registry.metrics());
    },
  );
}
