import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appendEvent } from '../../activities/store/events.ts';
import { openEvents } from '../../test/support/api-events.ts';
import { openApiLab, type ApiLab } from '../../test/support/api-lab.ts';
import { eventually } from '../../test/support/eventually.ts';

let lab: ApiLab;
beforeAll(async () => {
  lab = await openApiLab();
});
afterAll(() => lab?.close());

const write = (subject: string, audience: 'public' | 'owner' = 'public') =>
  lab.store.transaction(async (em) => appendEvent(em, { type: 'test.event', subject, audience, data: { text: 'one\ntwo\u2028é' } }));
const open = (path: string, headers: Record<string, string> = {}) => openEvents(lab.port, path, headers);
const subjects = (events: readonly { data: Record<string, unknown> }[]) => events.map(({ data }) => data['subject']);
const connections = () =>
  new Promise<number>((resolve, reject) => lab.app.server.getConnections((error, count) => (error ? reject(error) : resolve(count))));
const startOperation = async (): Promise<string> => {
  const { body } = await lab.ask('POST', '/v1/service-vms', { body: { serviceId: await lab.addService() } });
  return (body as { operationId: string }).operationId;
};

describe('GET /v1/events', () => {
  it('says at once that it is open, though nothing happens', async () => {
    const stream = await open('/v1/events');
    expect(stream.status).toBe(200);
    expect(Object.fromEntries(stream.headers)).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
    });
    expect(stream.headers.has('content-encoding')).toBe(false);
    stream.close();
  });

  it('tells what happens from then on, as it is written', async () => {
    await write('before');
    const stream = await open('/v1/events');
    await write('now');
    const [event] = await stream.take(1);
    stream.close();
    expect(event).toMatchObject({
      id: expect.stringMatching(/^\d+$/),
      event: 'test.event',
      data: { subject: 'now', text: 'one\ntwo\u2028é' },
    });
  });

  it('goes on after the last one that a client got: nothing is missed, nothing comes twice', async () => {
    const all = Array.from({ length: 60 }, (_, index) => `resume-${index}`);
    const got: string[] = [];
    let stream = await open('/v1/events');
    const writing = Promise.all(all.map((subject) => write(subject)));
    for (let last = ''; got.length < all.length;) {
      const events = await stream.take(7);
      stream.close();
      got.push(...(subjects(events) as string[]));
      last = events.at(-1)!.id;
      stream = await open('/v1/events', { 'last-event-id': last });
      if (got.length + 7 > all.length) {
        got.push(...(subjects(await stream.take(all.length - got.length)) as string[]));
        break;
      }
    }
    stream.close();
    await writing;
    expect(got.toSorted()).toEqual(all.toSorted());
  });

  it('shows strangers what is public, and admins everything', async () => {
    const [stranger, admin] = [await open('/v1/events', { 'x-device-id': 'x' }), await open('/v1/events', lab.asAdmin)];
    const [secret, known] = [`secret-${randomUUID()}`, `known-${randomUUID()}`];
    await write(secret, 'owner');
    await write(known);
    expect(subjects(await admin.take(2))).toEqual([secret, known]);
    expect(subjects(await stranger.take(1))).toEqual([known]);
    for (const stream of [stranger, admin]) stream.close();
  });

  it('reaches many at once, and lets go of those who leave', async () => {
    const before = await connections();
    const streams = await Promise.all(Array.from({ length: 40 }, () => open('/v1/events')));
    await write('to all');
    const heard = await Promise.all(streams.map((stream) => stream.take(1)));
    expect(new Set(heard.flatMap(subjects))).toEqual(new Set(['to all']));
    for (const stream of streams) stream.close();
    await eventually(async () => expect(await connections()).toBeLessThanOrEqual(before));
  });

  it('breaks off when the database goes, and a client that comes back misses nothing', async () => {
    const stream = await open('/v1/events');
    await write('one');
    const [one] = await stream.take(1);
    process.kill(lab.parts.pidOf('postgres'), 'SIGKILL');
    await eventually(() => write('two'), 30_000);
    // Connections outlive the server by a moment, in which they still write, and a stream may still begin: it breaks off.
    const resumed = await eventually(async () => {
      const again = await open('/v1/events', { 'last-event-id': one!.id });
      expect(again.status).toBe(200);
      expect(subjects(await again.take(1))).toEqual(['two']);
      return again;
    }, 30_000);
    await write('three');
    expect(subjects(await resumed.take(1))).toEqual(['three']);
    for (const each of [stream, resumed]) each.close();
  });
});

describe('GET /v1/operations/{id}/events', () => {
  it('tells the whole story of an operation and ends with it, whenever it is asked', async () => {
    const operationId = await startOperation();
    const live = await (await open(`/v1/operations/${operationId}/events`)).rest();
    expect(live.map(({ event }) => event).filter((event) => event !== 'operation.progress')).toEqual([
      'service-vm.requested',
      'operation.succeeded',
    ]);
    const steps = live.filter(({ event }) => event === 'operation.progress').map(({ data }) => Number(data['step']));
    expect(steps.length).toBeGreaterThan(2);
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
    expect(await (await open(`/v1/operations/${operationId}/events`)).rest()).toEqual(live);
    const half = live[2]!;
    expect(await (await open(`/v1/operations/${operationId}/events`, { 'last-event-id': half.id })).rest()).toEqual(live.slice(3));
  });

  it('ends at once for a client that has seen the end', async () => {
    const operationId = await startOperation();
    const all = await (await open(`/v1/operations/${operationId}/events`)).rest();
    expect(await (await open(`/v1/operations/${operationId}/events`, { 'last-event-id': all.at(-1)!.id })).rest()).toEqual([]);
  });
});

describe('a stream', () => {
  const paths = async () => ['/v1/events', `/v1/operations/${await startOperation()}/events`];

  it.each(['x', '-1', '1.5', '1e3', '9'.repeat(16), ' '])('is refused after an id that nobody gave, here %j', async (id) => {
    for (const path of await paths()) {
      const answer = await lab.ask('GET', path, { headers: { 'last-event-id': id } });
      expect([answer.status, (answer.body as { code: string }).code]).toEqual([400, 'invalid-input']);
    }
  });

  it.each(['application/json', 'text/html', 'image/*'])('is refused to who accepts %s alone', async (accept) => {
    for (const path of await paths()) {
      const answer = await lab.ask('GET', path, { headers: { accept } });
      expect([answer.status, (answer.body as { code: string }).code]).toEqual([406, 'not-acceptable']);
    }
  });

  it('has no HEAD, which would never end', async () => {
    for (const path of await paths()) {
      const answer = await lab.ask('HEAD', path);
      expect([answer.status, answer.headers['allow']]).toEqual([405, 'GET']);
    }
  });

  it('of an operation that there is not is not opened', async () => {
    expect((await lab.ask('GET', `/v1/operations/${randomUUID()}/events`)).status).toBe(404);
    expect((await lab.ask('GET', '/v1/operations/x/events')).status).toBe(400);
  });
});
