import { randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ask, openStoreLab, testPorts, type StoreLab } from '../../test/support/api-store.ts';
import { scriptedFingerprint } from '../../test/support/workflow-host.ts';
import type { CloudletError } from '../../workflows/contract/errors.ts';
import type { ServiceSpec } from '../../workflows/contract/service.ts';
import { capacityOf, listHosts, overheadMib } from './hosts.ts';
import { findInstance } from './instances.ts';
import { portsOf, replacePorts } from './ports.ts';
import { release, reserve } from './reservation.ts';
import { publishStopping } from './service-vms.ts';

let lab: StoreLab;
beforeAll(async () => {
  lab = await openStoreLab();
});
afterAll(() => lab?.close());
beforeEach(async () => {
  await lab.store.fork().execute('update service_vms set memory_mib = 0');
  await lab.store.fork().execute('delete from port_reservations');
  await lab.store.fork().execute('delete from image_locations where host_id <> ?', [lab.hostId]);
  await lab.store.fork().execute('update service_vms set host_id = null where host_id <> ?', [lab.hostId]);
  await lab.store.fork().execute('delete from hosts where id <> ?', [lab.hostId]);
  await lab.setHost({});
});

const request = async (spec: Partial<ServiceSpec> = {}, saved = false): Promise<string> =>
  (await lab.start(await lab.addService({ spec, saved }), { join: false })).serviceVmId;
const memory = (minimumMib: number, idealMib = minimumMib) => ({ memory: { minimumMib, idealMib } });
const held = () =>
  ask<number>(lab.store, 'select coalesce(sum(memory_mib + ?), 0)::int from service_vms where memory_mib > 0', [overheadMib]);
const host = async () => (await listHosts(lab.store)).find(({ id }) => id === lab.hostId)!;
const freeMib = async () => (await capacityOf(lab.store.fork(), await host())).memoryFreeMib;

describe('memory', () => {
  it('is never given away twice, and never refused while there is enough, whoever asks at once', async () => {
    const other = await lab.anotherStore();
    const demand = fc.array(fc.tuple(fc.integer({ min: 32, max: 700 }), fc.integer({ min: 0, max: 700 })), { minLength: 2, maxLength: 14 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 100, max: 3000 }), demand, async (memoryMib, demands) => {
        await lab.store.fork().execute('update service_vms set memory_mib = 0');
        await lab.setHost({ memoryMib });
        const asked = await Promise.all(
          demands.map(async ([minimumMib, more]) => ({ minimumMib, id: await request(memory(minimumMib, minimumMib + more)) })),
        );
        const settled = await Promise.allSettled(asked.map(({ id }, index) => reserve(index % 2 ? lab.store : other, id, testPorts)));
        expect(await held()).toBeLessThanOrEqual(memoryMib);
        const refused = asked.filter((_, index) => settled[index]!.status === 'rejected');
        // Nothing was given back in between, so whoever was refused would be refused now.
        const stillFree = await freeMib();
        expect(refused.every(({ minimumMib }) => minimumMib > stillFree)).toBe(true);
        const given = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value.memoryMib + overheadMib] : []));
        expect(await held()).toBe(given.reduce((sum, mib) => sum + mib, 0));
      }),
      { numRuns: 12, seed: 7 },
    );
  });

  it('is the ideal where there is room, else the minimum of a cold boot', async () => {
    await lab.setHost({ memoryMib: 600 + overheadMib });
    expect(await reserve(lab.store, await request(memory(256, 600)), testPorts)).toMatchObject({ memoryMib: 600, rungs: ['cold-boot'] });
    await lab.store.fork().execute('update service_vms set memory_mib = 0');
    expect(await reserve(lab.store, await request(memory(256, 601)), testPorts)).toMatchObject({ memoryMib: 256, rungs: ['cold-boot'] });
  });

  it('is bounded by what the kernel has left now, too', async () => {
    await lab.setHost({ memoryMib: 8192, memoryAvailableMib: 300 + overheadMib });
    await expect(reserve(lab.store, await request(memory(301)), testPorts)).rejects.toMatchObject({ facts: { needed: 301, free: 300 } });
    await reserve(lab.store, await request(memory(300)), testPorts);
  });

  it('that lacks is said in numbers: what was needed and what is free', async () => {
    await lab.setHost({ memoryMib: 500 });
    const serviceVmId = await request(memory(460, 900));
    await expect(reserve(lab.store, serviceVmId, testPorts)).rejects.toMatchObject({
      code: 'capacity-exhausted',
      message: expect.stringMatching(/needs 460 MiB of memory; 452 MiB are free/),
      facts: { resource: 'memory', needed: 460, free: 452, retryAfterSeconds: 30 },
    });
    expect(await held()).toBe(0);
    expect(await ask(lab.store, 'select state from service_vms where id = ?', [serviceVmId])).toBe('requested');
  });

  it('comes back with a release, which repeats without effect, and is held once by a repeated reservation', async () => {
    const serviceVmId = await request(memory(256));
    const placement = await reserve(lab.store, serviceVmId, testPorts);
    expect(await reserve(lab.store, serviceVmId, testPorts)).toEqual(placement);
    expect(await held()).toBe(256 + overheadMib);
    await release(lab.store, serviceVmId);
    await release(lab.store, serviceVmId);
    expect(await held()).toBe(0);
    expect(await portsOf(lab.store.fork(), serviceVmId)).toEqual([]);
  });
});

describe('a host', () => {
  const away = /No host of this cloudlet is up/;

  it('that is down takes nothing', async () => {
    await lab.store.fork().execute('update hosts set heartbeat_at_ms = ?', [lab.store.clock.nowMs() - 60_000]);
    await expect(reserve(lab.store, await request(), testPorts)).rejects.toMatchObject({
      code: 'hypervisor-unavailable',
      message: expect.stringMatching(away),
    });
  });

  it('whose hypervisor does not answer takes nothing, and says why', async () => {
    await lab.setHost({ hypervisorProblem: 'libvirt does not answer' });
    await expect(reserve(lab.store, await request(), testPorts)).rejects.toMatchObject({
      code: 'hypervisor-unavailable',
      message: 'libvirt does not answer',
    });
  });

  it('with too few processors is told of as it is', async () => {
    await lab.setHost({ vcpus: 2 });
    await expect(reserve(lab.store, await request({ vcpus: 4 }), testPorts)).rejects.toMatchObject({
      code: 'capacity-exhausted',
      facts: { resource: 'vcpu', needed: 4, free: 2 },
    });
  });

  it('that can restore comes before one with more room that cannot', async () => {
    const restorer = randomUUID();
    await lab.setHost({ memoryMib: 4096, fingerprint: { ...scriptedFingerprint, qemuVersion: '9.9.9' } });
    await lab.setHost({ memoryMib: 2048, fingerprint: scriptedFingerprint }, restorer);
    expect(await reserve(lab.store, await request({}, true), testPorts)).toMatchObject({
      hostId: restorer,
      rungs: ['restore', 'cold-boot'],
    });
    expect(await reserve(lab.store, await request({}, false), testPorts)).toMatchObject({ hostId: lab.hostId, rungs: ['cold-boot'] });
  });
});

describe('ports', () => {
  const twoPorts: Partial<ServiceSpec> = {
    ports: [
      { name: 'http', protocol: 'tcp', guestPort: 80 },
      { name: 'voice', protocol: 'udp', guestPort: 5004 },
    ],
    readiness: { kind: 'none' },
  };

  it('are nobody else’s, whoever asks at once, until there are none left', async () => {
    const range = { first: 40_000, last: 40_009 };
    const other = await lab.anotherStore();
    const asked = await Promise.all(Array.from({ length: 14 }, () => request(twoPorts)));
    const settled = await Promise.allSettled(asked.map((id, index) => reserve(index % 2 ? lab.store : other, id, range)));
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
    const rows = await lab.store
      .fork()
      .execute<{ protocol: string; host_port: number }[]>('select protocol, host_port from port_reservations');
    expect(new Set(rows.map(({ protocol, host_port: port }) => `${protocol} ${port}`)).size).toBe(20);
    const refusals = settled.flatMap((result) => (result.status === 'rejected' ? [result.reason as CloudletError] : []));
    expect(refusals[0]).toMatchObject({ code: 'capacity-exhausted', facts: { resource: 'port', needed: 1, free: 0 } });
    // Refused as a whole: no memory is held by those who got no port.
    expect(await ask(lab.store, 'select count(*)::int from service_vms where memory_mib > 0')).toBe(10);
  });

  it('are told in the order of the service, the main one first', async () => {
    const serviceVmId = await request(twoPorts);
    await reserve(lab.store, serviceVmId, testPorts);
    expect((await portsOf(lab.store.fork(), serviceVmId)).map(({ name, protocol, guestPort }) => [name, protocol, guestPort])).toEqual([
      ['http', 'tcp', 80],
      ['voice', 'udp', 5004],
    ]);
  });

  it('that something else listens on are replaced, the others kept', async () => {
    const serviceVmId = await request(twoPorts);
    await reserve(lab.store, serviceVmId, testPorts);
    const [http, voice] = await portsOf(lab.store.fork(), serviceVmId);
    const replaced = await replacePorts(lab.store, serviceVmId, [http!], testPorts);
    expect(replaced[0]!.hostPort).not.toBe(http!.hostPort);
    expect(replaced[1]).toEqual(voice);
    expect(await portsOf(lab.store.fork(), serviceVmId)).toEqual(replaced);
  });

  it('are not found where all the others are taken', async () => {
    const range = { first: 41_000, last: 41_000 };
    const serviceVmId = await request(twoPorts);
    const [http] = await reserve(lab.store, serviceVmId, range).then(() => portsOf(lab.store.fork(), serviceVmId));
    await expect(replacePorts(lab.store, serviceVmId, [http!], range)).rejects.toMatchObject({ code: 'capacity-exhausted' });
    expect((await portsOf(lab.store.fork(), serviceVmId))[0]).toEqual(http);
  });
});

describe('an instance that was stopped meanwhile', () => {
  it('gets nothing any more', async () => {
    const serviceVmId = await request();
    await publishStopping(lab.store, serviceVmId, 'asked');
    await expect(reserve(lab.store, serviceVmId, testPorts)).rejects.toMatchObject({
      code: 'state-conflict',
      facts: { state: 'stopping' },
    });
    expect(await held()).toBe(0);
  });
});

describe('the spec of an instance', () => {
  const specOf = async (id: string) => (await findInstance(lab.store, id))!.spec;
  const change = (id: string, spec: Partial<ServiceSpec>) =>
    lab.store
      .fork()
      .execute('update services set spec = spec || ?::jsonb where id = (select service_id from service_vms where id = ?)', [
        JSON.stringify(spec),
        id,
      ]);

  it('is that of its service when it gets its place, and stays', async () => {
    const id = await request(memory(64));
    await change(id, memory(96));
    expect(await reserve(lab.store, id, testPorts)).toMatchObject({ memoryMib: 96 });
    await change(id, { ...memory(128), restartPolicy: 'never', vcpus: 2 });
    expect(await specOf(id)).toMatchObject({ ...memory(96), restartPolicy: 'on-failure', vcpus: 1 });
    expect(await reserve(lab.store, id, testPorts)).toMatchObject({ memoryMib: 96, vcpus: 1, restartPolicy: 'on-failure' });
  });

  it('keeps users of a service whose ports have changed from joining an instance that has the old ones', async () => {
    const serviceId = await lab.addService();
    const old = await lab.startReady(serviceId);
    expect(await lab.start(serviceId)).toMatchObject({ joined: true, serviceVmId: old.serviceVmId });
    await change(old.serviceVmId, { ports: [{ name: 'http', protocol: 'tcp', guestPort: 8081 }] });
    expect(await lab.start(serviceId)).toMatchObject({ joined: false });
  });
});
