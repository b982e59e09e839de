import { randomUUID } from 'node:crypto';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store } from '../../activities/store/store.ts';
import type { NewService } from '../../workflows/contract/http.ts';
import { baseDisk } from '../support/base-disk.ts';
import type { StartedCloudlet } from '../support/started-cloudlet.ts';
import { BareLibvirt } from './bare-libvirt.ts';
import { operationResult } from './operation-result.ts';
import { serviceFiles } from './bench-starts.ts';
import { measurement, timed, type Measurement } from './measurement.ts';

const serviceId = 'bench.recipe';
const memoryMib = 128;

/** Echo over HTTP and TCP, made by commands in the guest. */
const recipe = (file: string): NewService => ({
  serviceId,
  ports: [
    { name: 'http', protocol: 'tcp', guestPort: 8080 },
    { name: 'echo', protocol: 'tcp', guestPort: 7 },
  ],
  readiness: { kind: 'http', guestPort: 8080, path: '/health', timeoutSeconds: 120 },
  memory: { minimumMib: memoryMib, idealMib: memoryMib },
  source: {
    kind: 'recipe',
    base: { kind: 'disk', file, format: 'qcow2' },
    files: [
      {
        to: '/etc/cloudlet/service',
        content: '#!/bin/sh\nbusybox tcpsvd 0 7 busybox cat &\nexec busybox httpd -f -p 8080 -h /srv/www\n',
        executable: true,
      },
    ],
    commands: ['mkdir -p /srv/www', 'echo ok >/srv/www/health'],
  },
  save: true,
});

/** A build by recipe boots twice: for its commands, and to save its ready state. The floor is just that, without us. */
export async function benchRecipe(cloudlet: StartedCloudlet, store: Store): Promise<Measurement[]> {
  const file = `${randomUUID()}.qcow2`;
  await copyFile(await baseDisk(), join(cloudlet.config.importDir, file));
  const bare = new BareLibvirt(await cloudlet.libvirtUri(), cloudlet.config.dataDir);
  try {
    const value = await timed(() => operationResult(cloudlet.admin, '/v1/services', recipe(file)));
    const files = await serviceFiles(store, cloudlet.config.dataDir, serviceId);
    const boot = async (): Promise<number> => {
      const guest = await bare.bootable(files, memoryMib);
      const ms = await guest.start();
      await guest.remove();
      return ms;
    };
    const floor = (await boot()) + (await boot());
    return [
      measurement(
        {
          name: 'build of echo from a recipe, its state saved',
          unit: 's',
          value: value / 1000,
          floor: floor / 1000,
          aim: 'told beside two boots by virsh',
        },
        () => true,
      ),
    ];
  } finally {
    await bare.clear();
    await cloudlet.admin.request('DELETE', `/v1/services/${serviceId}?stop=true&purge=true`).catch(() => undefined);
  }
}
