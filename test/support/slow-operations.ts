/** Operations that take too long for a fault at each of ten moments: cancellations alone are tried on them. */
import { randomUUID } from 'node:crypto';
import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { NewService } from '../../workflows/contract/http.ts';
import { begun, succeeded, type AdminOperation, type Workbench } from './admin-operations.ts';
import { baseDisk } from './base-disk.ts';
import { dockerArchive } from './container-archive.ts';

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

export const slowOperations: readonly AdminOperation[] = [recipe, container, verification];
