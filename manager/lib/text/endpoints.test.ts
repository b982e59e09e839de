import { describe, expect, it } from 'vitest';
import type { ServiceVm } from '../api/bodies.ts';
import { endpoints } from './endpoints.ts';

const serviceVm: ServiceVm = {
  id: '87b6d417-1c7c-4453-8e66-6518c840161a',
  serviceId: 'demo.guest',
  purpose: 'serve',
  state: 'ready',
  rung: 'restore',
  address: '192.0.2.7',
  ports: [
    { name: 'tcp-8080', protocol: 'tcp', guestPort: 8080, hostPort: 31_943 },
    { name: 'http-admin', protocol: 'tcp', guestPort: 81, hostPort: 31_944 },
    { name: 'http', protocol: 'udp', guestPort: 82, hostPort: 31_945 },
    { name: 'https', protocol: 'tcp', guestPort: 443, hostPort: 31_946 },
  ],
  users: 1,
  memoryMib: 256,
  vcpus: 1,
  restarts: 0,
  endReason: null,
  problem: null,
  requestedAt: '2026-11-22T18:05:11.932Z',
  readyAt: '2026-11-22T18:05:14.589Z',
  endedAt: null,
};

describe('endpoints', () => {
  it('links what speaks HTTP by its probe or its name', () => {
    const found = endpoints(serviceVm, { readiness: { kind: 'http', guestPort: 8080, path: '/', timeoutSeconds: 60 } });
    expect(found.map(({ url }) => url)).toEqual(['http://192.0.2.7:31943/', 'http://192.0.2.7:31944/', undefined, undefined]);
    expect(found[0]?.hostAndPort).toBe('192.0.2.7:31943');
  });

  it('links nothing that only takes a connection', () => {
    const found = endpoints(serviceVm, { readiness: { kind: 'tcp', guestPort: 8080, timeoutSeconds: 60 } });
    expect(found[0]?.url).toBeUndefined();
  });

  it('is empty until there is an address', () => {
    expect(endpoints({ ...serviceVm, address: null })).toEqual([]);
  });
});
