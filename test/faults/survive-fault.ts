import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { ServiceVmBody } from '../../workflows/contract/http.ts';
import { eventually } from '../support/eventually.ts';
import type { Phone, PhoneServiceVm } from '../support/phone.ts';
import type { TestCloudlet } from '../support/test-cloudlet.ts';
import type { Fault } from './fault-matrix.ts';

/** How long a start and a stop take when nothing goes wrong, ms. */
export interface Usual {
  readonly startMs: number;
  readonly stopMs: number;
}

const settleMs = 60_000;

export async function measureUsual(cloudlet: TestCloudlet, serviceId: string): Promise<Usual> {
  const phone = cloudlet.phone();
  const startedAt = performance.now();
  const started = await phone.start(serviceId);
  const startMs = performance.now() - startedAt;
  const stoppedAt = performance.now();
  await phone.stop(started._id);
  await eventually(async () => expect(await cloudlet.held()).toEqual([]));
  return { startMs, stopMs: performance.now() - stoppedAt };
}

/**
 * Kills something in the middle of a start or a stop, and asserts what a cloudlet promises: the phone gets an honest
 * answer, whoever asks again finds exactly one instance that serves, and in the end nothing is left.
 */
export async function surviveFault(
  cloudlet: TestCloudlet,
  serviceId: string,
  usual: Usual,
  { victim, during, moment }: Fault,
): Promise<void> {
  const phone = cloudlet.phone();
  const before = during === 'stop' ? await phone.start(serviceId) : undefined;
  const request: Promise<unknown> = before ? phone.stop(before._id) : phone.start(serviceId);
  const asked = answerOf(request);
  await sleep(moment * (before ? usual.stopMs : usual.startMs));
  cloudlet.kill(victim);
  const answer = await asked;
  await cloudlet.untilReady();

  if (before) await expectStopped(cloudlet, phone, before);
  else {
    const told = typeof answer === 'string' ? undefined : (answer as PhoneServiceVm);
    // A phone that was told of an instance can use it: an answer of 200 is a promise.
    if (told) await expectServing(told);
    const again = await startAgain(phone, serviceId);
    await expectServing(again);
    if (told) expect(again._id).toBe(told._id);
    await eventually(async () => expect(await liveInstances(cloudlet)).toEqual([again._id]), settleMs);
    await phone.stop(again._id);
  }
  await eventually(async () => expect(await cloudlet.held()).toEqual([]), settleMs);
}

/** What came of a request: its answer, or why there was none, in words. A connection that broke is an honest answer, too. */
const answerOf = (request: Promise<unknown>): Promise<unknown> =>
  request.catch((error: unknown) => {
    const text = error instanceof Error ? error.message : String(error);
    expect(text).toMatch(/ECONNRESET|ECONNREFUSED|socket hang up|^(409|502|503|504):/);
    return text;
  });

/** As a person does who is told to ask again: a part that was killed may be found ready, and be gone a moment later. */
const startAgain = (phone: Phone, serviceId: string): Promise<PhoneServiceVm> => eventually(() => phone.start(serviceId), settleMs);

async function expectServing({ port }: PhoneServiceVm): Promise<void> {
  expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
}

/** The user has left, or can leave now. */
async function expectStopped(cloudlet: TestCloudlet, phone: Phone, { _id }: PhoneServiceVm): Promise<void> {
  await eventually(async () => {
    const { status } = await phone.get(`/servicevm/stop?instanceId=${_id}`);
    expect([200, 401, 404]).toContain(status);
    expect(await liveInstances(cloudlet)).toEqual([]);
  }, settleMs);
}

async function liveInstances(cloudlet: TestCloudlet): Promise<string[]> {
  const { serviceVms } = await cloudlet.admin.request<{ serviceVms: ServiceVmBody[] }>('GET', '/v1/service-vms');
  return serviceVms.map(({ id }) => id);
}
