import type { CatalogueService, WarmUpRequest } from '../../../workflows/contract/catalogue.ts';
import { assembleEchoDisk } from './echo-disk.ts';

const httpPort = 8080;
const echoPort = 7;
const warmUp: readonly WarmUpRequest[] = [
  { guestPort: httpPort, method: 'GET', path: '/' },
  { guestPort: httpPort, method: 'GET', path: '/state' },
  { guestPort: httpPort, method: 'POST', path: '/echo', contentType: 'text/plain', body: async () => Buffer.from('warm') },
];

/** The smallest Service VM: for first steps, for tests, and to measure what everything else costs. */
export const echoService: CatalogueService = {
  spec: {
    serviceId: 'cloudlet.sample.echo',
    description:
      'Gives back what you send, over HTTP, TCP and UDP. A tiny Service VM for first steps and for measuring the way to this cloudlet.',
    version: '1',
    tags: ['sample', 'echo', 'diagnostics'],
    ports: [
      { name: 'http', protocol: 'tcp', guestPort: httpPort },
      { name: 'echo-tcp', protocol: 'tcp', guestPort: echoPort },
      { name: 'echo-udp', protocol: 'udp', guestPort: echoPort },
    ],
    readiness: { kind: 'http', guestPort: httpPort, path: '/health', timeoutSeconds: 120 },
    vcpus: 1,
    memory: { minimumMib: 96, idealMib: 128 },
    maximumUsers: 100,
    whenFull: 'another',
    sharing: 'join',
    idleSeconds: 600,
    leaseSeconds: 300,
    restartPolicy: 'on-failure',
    egress: { mode: 'none' },
  },
  assemble: (context) => assembleEchoDisk(context),
  warmUp,
};
