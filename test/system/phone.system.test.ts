import { execFile } from 'node:child_process';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { textPicture } from '../../plugins/sample-services/ocr/text-picture.ts';
import { checkoutDir } from '../../temporal/config/load-config.ts';
import type { OperationBody } from '../../workflows/contract/http.ts';
import { eventually } from '../support/eventually.ts';
import type { FoundService } from '../support/mdns-browse.ts';
import { Phone } from '../support/phone.ts';
import { startTestCloudlet, type TestCloudlet } from '../support/test-cloudlet.ts';

let cloudlet: TestCloudlet;

beforeAll(async () => {
  cloudlet = await startTestCloudlet({
    withAvahi: true,
    environment: { CLOUDLET_PLUGINS: 'discovery-avahi,security-open,sample-services' },
  });
});
afterAll(() => cloudlet?.stop());

const run = promisify(execFile);

/** Asks loopback over multicast DNS, with nothing of Avahi in it. */
async function browse(): Promise<FoundService[]> {
  const { stdout } = await run(process.execPath, [join(checkoutDir, 'test/support/mdns-browse.ts'), '127.0.0.1', '_cloudlet._tcp', '700']);
  return JSON.parse(stdout) as FoundService[];
}

it('finds the cloudlet, lists its services, starts one, and has a picture read', async () => {
  // What is announced takes the name that is free, `name` or `name-2`, when another cloudlet runs on this machine.
  const { apiPort } = cloudlet.parts.config;
  const found = await eventually(async () => {
    const ours = (await browse()).find(({ port }) => port === apiPort);
    expect(ours).toBeDefined();
    return ours!;
  }, 30_000);
  expect(found).toMatchObject({ txt: ['encryption=disabled'], address: '127.0.0.1' });
  expect(found.instance.split(' ').at(-1)).toMatch(new RegExp(`^${hostname()}(-\\d+)?$`));

  // The samples are built at the first start, by a workflow that shows how far it is.
  await eventually(async () => {
    const { operations } = await cloudlet.admin.request<{ operations: OperationBody[] }>('GET', '/v1/operations?kind=service.build');
    expect(Object.fromEntries(operations.map(({ subject, state }) => [subject, state]))).toEqual({
      'cloudlet.sample.echo': 'succeeded',
      'cloudlet.sample.ocr': 'succeeded',
    });
  }, 150_000);

  const phone = new Phone(`http://${found.address}:${found.port}`, 'a1b2c3d4e5f60718');
  const { services } = await phone.json<{ services: { service_id: string }[] }>('/services');
  const ocr = services.find(({ service_id: id }) => id === 'cloudlet.sample.ocr')!;
  const { ip_address: address, port } = await phone.start(ocr.service_id);
  const answer = await fetch(`http://${address}:${port}/ocr`, {
    method: 'POST',
    headers: { 'content-type': 'image/png' },
    body: Buffer.from(textPicture(['CLOUDLET 42', 'READS THIS'])),
  });
  expect(await answer.json()).toMatchObject({ text: 'CLOUDLET 42\nREADS THIS', ms: expect.any(Number) });
}, 240_000);
