import path from 'node:path';
import { assembleDisk } from '../../../activities/images/guest-disk/assemble-disk.ts';
import type { CatalogueService } from '../../../workflows/contract/catalogue.ts';

/** Room for what recipes put in; blocks that nobody writes to cost nothing. */
const spareMib = 512;

/**
 * A Debian userland that does nothing yet, for recipes to build on: busybox, the QEMU guest agent, and whatever packages
 * the recipe names. `/etc/cloudlet/service` is what it serves with, and started again whenever it ends.
 */
export const baseService: CatalogueService = {
  base: true,
  spec: {
    serviceId: 'cloudlet.base.debian',
    description: 'A small Debian userland to build services on by recipe.',
    version: '1',
    tags: ['base'],
    ports: [{ name: 'http', protocol: 'tcp', guestPort: 8080 }],
    readiness: { kind: 'none' },
    vcpus: 1,
    memory: { minimumMib: 96, idealMib: 192 },
    maximumUsers: 1,
    whenFull: 'refuse',
    sharing: 'join',
    idleSeconds: 600,
    leaseSeconds: 300,
    restartPolicy: 'never',
    egress: { mode: 'none' },
  },
  assemble: ({ packages = [], ...context }) =>
    assembleDisk(
      {
        hostname: 'cloudlet',
        packages: ['qemu-guest-agent', ...packages],
        overlay: path.join(import.meta.dirname, 'root'),
        spareMib,
      },
      context,
    ),
};
