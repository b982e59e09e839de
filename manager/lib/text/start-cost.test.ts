import { describe, expect, it } from 'vitest';
import type { Service, ServiceVm } from '../api/bodies.ts';
import { rungName, startCost } from './start-cost.ts';

const service: Service = {
  serviceId: 'demo.guest',
  description: '',
  version: '1',
  tags: [],
  ports: [{ name: 'http', protocol: 'tcp', guestPort: 8080 }],
  readiness: { kind: 'none' },
  vcpus: 1,
  memory: { minimumMib: 256, idealMib: 512 },
  maximumUsers: 2,
  whenFull: 'another',
  sharing: 'join',
  idleSeconds: 600,
  leaseSeconds: 300,
  restartPolicy: 'never',
  egress: { mode: 'none' },
  imageVersion: 1,
  startable: true,
  startsBy: ['join', 'restore', 'cold-boot'],
  updatedAt: '2026-11-22T18:05:10.818Z',
};

const instance = (given: Pick<ServiceVm, 'state' | 'users'>): ServiceVm => ({
  id: '87b6d417-1c7c-4453-8e66-6518c840161a',
  serviceId: service.serviceId,
  purpose: 'serve',
  rung: null,
  address: null,
  ports: [],
  memoryMib: 512,
  vcpus: 1,
  restarts: 0,
  endReason: null,
  problem: null,
  requestedAt: '2026-11-22T18:05:11.932Z',
  readyAt: null,
  endedAt: null,
  ...given,
});

describe('startCost', () => {
  it('names the cheapest way to a new instance, and what it takes', () => {
    expect(startCost(service, [], 4096)).toEqual({ text: 'Restore, takes 512 MiB' });
    expect(startCost({ ...service, startsBy: ['cold-boot'] }, [], 4096)).toEqual({ text: 'Cold boot, takes 512 MiB' });
  });

  it('costs nothing where one runs that has room', () => {
    expect(startCost(service, [instance({ state: 'provisioning', users: 1 })], 0)).toEqual({ text: 'Joins the one that runs, at no cost' });
  });

  it.each([
    ['is full', service, instance({ state: 'ready', users: 2 })],
    ['is ending', service, instance({ state: 'stopping', users: 0 })],
    ['is somebody’s own', { ...service, sharing: 'own' } as const, instance({ state: 'ready', users: 1 })],
  ])('takes a new one where the one that runs %s', (_why, wanted, running) => {
    expect(startCost(wanted, [running], 4096).text).toBe('Restore, takes 512 MiB');
  });

  it('warns where even the minimum does not fit', () => {
    expect(startCost(service, [], 300).warning).toBeUndefined();
    expect(startCost(service, [], 100).warning).toBe('Needs 256 MiB; 100 MiB is free');
  });
});

describe('rungName', () => {
  it('has words for the rungs there are, and passes on what is newer', () => {
    expect(['join', 'claim', 'restore', 'cold-boot', null, 'teleport'].map(rungName)).toEqual([
      'Join',
      'Claim',
      'Restore',
      'Cold boot',
      '–',
      'teleport',
    ]);
  });
});
