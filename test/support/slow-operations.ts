/** Operations that take too long for a fault at each of ten moments: cancellations alone are tried on them. */
import { randomUUID } from 'node:crypto';
import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { NewService, OperationBody } from '../../workflows/contract/http.ts';
import { reconcileHostScheduleId } from '../../workflows/contract/ids.ts';
import { begun, succeeded, type AdminOperation, type Workbench } from './admin-operations.ts';
import { baseDisk } from './base-disk.ts';
import { dockerArchive } from './container-archive.ts';
import { eventually } from './eventually.ts';
import { outdateState } from './workflow-operations.ts';

const memory = { minimumMib: 128, idealMib: 128 };

/** Builds a service from a file of the import folder. */
const builds =
  (write: (path: string) => Promise<unknown>, service: (file: string) => Omit<NewService, 'serviceId'>): AdminOperation['prepare'] =>
  async (bench: Workbench) => {
    const serviceId = `slow.${randomUUID()}`;
    const path = join(bench.cloudlet.parts.config.importDir, serviceId);
    await write(path);
    return {
      begin: (key) => begun(bench.ask('POST', '/v1/services', { ...service(serviceId), serviceId }, key)),
      verify: async (ended) => expect((await bench.service(serviceId)) !== undefined).toBe(succeeded(ended)),
      takeBack: async () => {
        await bench.purge(serviceId);
        await rm(path);
      },
    };
  };

const recipe: AdminOperation = {
  name: 'recipe',
  phases: ['prepare', 'reserve', 'clone', 'cold-boot', 'probe', 'recipe', 'keep', 'warm-up', 'save', 'publish'],
  prepare: builds(
    async (path) => copyFile(await baseDisk(), path),
    (file) => ({
      ports: [{ name: 'http', protocol: 'tcp', guestPort: 8080 }],
      readiness: { kind: 'none' },
      memory,
      source: { kind: 'recipe', base: { kind: 'disk', file, format: 'qcow2' }, commands: ['sleep 2'] },
      save: true,
    }),
  ),
};

/** A web server of one file. */
const container: AdminOperation = {
  name: 'container',
  phases: ['prepare', 'reserve', 'clone', 'cold-boot', 'probe', 'warm-up', 'save', 'publish'],
  prepare: builds(
    async (path) => {
      const layer = [{ name: 'busybox', content: await readFile('/bin/busybox'), mode: 0o755 }];
      const config = { Cmd: ['/busybox', 'httpd', '-f', '-p', '80'], ExposedPorts: { '80/tcp': {} } };
      await writeFile(path, dockerArchive([{ layers: [layer], config }]));
    },
    (file) => ({ memory, source: { kind: 'container', file }, save: true }),
  ),
};

const verification: AdminOperation = {
  name: 'verify',
  phases: ['verify', 'record'],
  prepare: async (bench) => ({
    begin: (key) => begun(bench.ask('POST', '/v1/images/verify', undefined, key)),
    verify: async () => undefined,
    takeBack: async () => undefined,
  }),
};

/** What an admin begins, and throws away. */
const edit: AdminOperation = {
  name: 'edit',
  phases: ['reserve', 'clone', 'cold-boot', 'edit', 'save'],
  prepare: async (bench) => {
    const serviceId = await bench.copyOfEcho();
    return {
      begin: (key) => begun(bench.ask('POST', `/v1/services/${serviceId}/edit`, undefined, key)),
      verify: async () => expect((await bench.service(serviceId))?.imageVersion).toBe(1),
      takeBack: () => bench.purge(serviceId),
    };
  },
};

/** A service whose saved state another QEMU made. */
const refresh: AdminOperation = {
  name: 'refresh',
  phases: ['reserve', 'clone', 'cold-boot', 'probe', 'warm-up', 'save', 'publish'],
  prepare: async (bench) => {
    const { store, temporal } = bench.cloudlet;
    const serviceId = `refresh.${randomUUID()}`;
    await bench.succeed(bench.ask('POST', '/v1/bundles/imports', { source: { kind: 'file', file: bench.bundle }, serviceId }));
    const running = '/v1/operations?kind=service.refresh&state=running';
    return {
      begin: async () => {
        await outdateState(bench.cloudlet, serviceId);
        const [host] = await store.fork().execute<{ id: string }[]>('select id from hosts');
        await temporal.schedule.getHandle(reconcileHostScheduleId(host!.id)).trigger();
        return eventually(async () => {
          const { operations } = await bench.ask<{ operations: OperationBody[] }>('GET', running);
          return operations.find(({ subject }) => subject === serviceId)!.id;
        }, 30_000);
      },
      verify: async (ended) => {
        const [image] = await store.fork().execute<{ qemu: string }[]>(
          `select saved_under ->> 'qemuVersion' as qemu from service_images
           where id = (select image_id from services where service_id = ?)`,
          [serviceId],
        );
        expect(image!.qemu !== '6.0.0').toBe(succeeded(ended));
      },
      takeBack: () => bench.purge(serviceId),
    };
  },
};

export const slowOperations: readonly AdminOperation[] = [recipe, container, verification, edit, refresh];
