import { readFile, readdir, writeFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { NewService, OperationBody, ServiceView, ServiceVmBody } from '../../workflows/contract/http.ts';
import { dockerArchive, ociArchive, type TestImage } from '../support/container-archive.ts';
import type { TarMember } from '../support/tar-archive.ts';
import { startTestCloudlet, type TestCloudlet } from '../support/test-cloudlet.ts';

let cloudlet: TestCloudlet;
beforeAll(async () => {
  cloudlet = await startTestCloudlet();
});
afterAll(() => cloudlet?.stop());
afterEach(() => cloudlet.stopAll());

/** A web server that tells who it is: `USER`, `WORKDIR`, `ENV`, and process 1 of its world. */
async function webImage(): Promise<TestImage> {
  const busybox = await readFile('/bin/busybox');
  const base: readonly TarMember[] = [
    { name: 'bin/', type: '5' },
    { name: 'bin/busybox', content: busybox, mode: 0o755 },
    { name: 'bin/sh', type: '2', linkName: 'busybox' },
    { name: 'bin/httpd', type: '1', linkName: 'bin/busybox' },
    { name: 'etc/passwd', content: 'root:x:0:0::/root:/bin/sh\nweb:x:1234:1235::/srv:/bin/sh\n' },
    { name: 'srv/index.html', content: 'the layer below' },
  ];
  const state = [
    '#!/bin/sh',
    'printf "Content-Type: text/plain\\r\\n\\r\\n"',
    'busybox id -u; busybox id -g; busybox pwd; echo "$GREETING"; busybox cat /proc/1/comm',
    'busybox stat -c %a:%u /srv/data /bin/tool; busybox cat /proc/sys/kernel/random/boot_id',
    'echo "said by the program" >/dev/stderr',
    '',
  ].join('\n');
  const identity = [
    '#!/bin/sh',
    'printf "Content-Type: text/plain\\r\\n\\r\\n"',
    'busybox cat /etc/machine-id /srv/data/told; busybox head -c 24 /dev/urandom | busybox base64; busybox date +%s',
    '',
  ].join('\n');
  const hook = '#!/bin/sh\n[ "$(busybox wc -c)" = 32 ] && echo "told $1" >/srv/data/told\n';
  const own: readonly TarMember[] = [
    { name: 'srv/index.html', content: 'from a container' },
    { name: 'srv/cgi-bin/state', content: state, mode: 0o755 },
    { name: 'srv/cgi-bin/identity', content: identity, mode: 0o755 },
    { name: 'etc/cloudlet/refresh', content: hook, mode: 0o755 },
    { name: 'srv/data', type: '5', mode: 0o2750, uid: 1234, gid: 1235 },
    { name: 'bin/tool', content: '#!/bin/sh\n', mode: 0o4755, uid: 33 },
  ];
  const config = {
    Entrypoint: ['httpd'],
    Cmd: ['-f', '-p', '80'],
    User: 'web',
    Env: ['PATH=/bin', 'GREETING=it\'s "me"'],
    WorkingDir: '/srv',
    ExposedPorts: { '80/tcp': {} },
  };
  return { layers: [base, own], config, names: ['web:1'], compression: 'gzip' };
}

/** @returns the operation when it is over */
async function build(archive: Buffer, service: Partial<NewService> & { readonly serviceId: string }): Promise<OperationBody> {
  const file = `${service.serviceId}.tar`;
  await mkdir(cloudlet.parts.config.importDir, { recursive: true });
  await writeFile(join(cloudlet.parts.config.importDir, file), archive);
  const memory = { minimumMib: 96, idealMib: 128 };
  const body: NewService = { memory, source: { kind: 'container', file }, save: true, ...service };
  const { operationId } = await cloudlet.admin.request<{ operationId: string }>('POST', '/v1/services', body);
  for await (const _ of cloudlet.admin.events(`/v1/operations/${operationId}/events`)) {
    // Until the operation has ended.
  }
  return cloudlet.admin.request<OperationBody>('GET', `/v1/operations/${operationId}`);
}

const view = (serviceId: string) => cloudlet.admin.request<ServiceView>('GET', `/v1/services/${serviceId}`);

describe('a container image', () => {
  it('becomes a service that starts by restore and runs as its image says', async () => {
    expect(await build(dockerArchive([await webImage()]), { serviceId: 'web', sharing: 'own' })).toMatchObject({ state: 'succeeded' });
    expect(await view('web')).toMatchObject({
      ports: [{ name: 'tcp-80', protocol: 'tcp', guestPort: 80 }],
      readiness: { kind: 'tcp', guestPort: 80 },
    });

    const phone = cloudlet.phone();
    const started = await phone.start('web');
    const { rung } = await cloudlet.admin.request<ServiceVmBody>('GET', `/v1/service-vms/${started._id}`);
    expect(rung).toBe('restore');
    const get = async (path: string) => (await fetch(`http://${started.ip_address}:${started.port}${path}`)).text();
    expect(await get('/')).toBe('from a container');
    expect((await get('/cgi-bin/state')).split('\n')).toEqual([
      '1234',
      '1235',
      '/srv/cgi-bin',
      'it\'s "me"',
      'httpd',
      '2750:1234',
      '4755:33',
      expect.stringMatching(/^[0-9a-f-]{36}$/),
      '',
    ]);
  });

  it('has an identity of its own in each instance that was restored, and the time of the host', async () => {
    const started = await Promise.all(['one', 'other'].map(() => cloudlet.phone().start('web')));
    const identities = await Promise.all(
      started.map(async ({ _id, ip_address, port }) => {
        const { rung } = await cloudlet.admin.request<ServiceVmBody>('GET', `/v1/service-vms/${_id}`);
        const said = await (await fetch(`http://${ip_address}:${port}/cgi-bin/identity`)).text();
        const [machineId, told, entropy, seconds] = said.split('\n');
        expect({ rung, machineId, told }).toEqual({
          rung: 'restore',
          machineId: _id.replaceAll('-', ''),
          told: `told ${_id.replaceAll('-', '')}`,
        });
        expect(Math.abs(Number(seconds) - Date.now() / 1000)).toBeLessThan(5);
        return entropy;
      }),
    );
    expect(new Set(identities).size).toBe(2);
  });

  it('whose program ends is a guest that ends, says why, and leaves nothing', async () => {
    const { config, ...image } = await webImage();
    const ends = { ...image, config: { ...config, Entrypoint: ['sh', '-c', 'echo no luck; exit 3'], Cmd: [] } };
    const operation = await build(ociArchive([ends]), { serviceId: 'ends', ports: [{ name: 'http', protocol: 'tcp', guestPort: 80 }] });
    expect(operation).toMatchObject({ state: 'failed', problem: { code: 'guest-unresponsive' } });
    const logs = await readdir(join(cloudlet.parts.dataDir.root, 'logs', 'service-vms'));
    const said = await Promise.all(logs.map((log) => readFile(join(cloudlet.parts.dataDir.root, 'logs', 'service-vms', log), 'utf8')));
    expect(said.find((text) => text.includes('no luck'))).toContain('ended with status 3');
    expect(await cloudlet.held()).toEqual([]);
    await expect(view('ends')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('that is hostile is refused with the reason, and leaves nothing', async () => {
    const image = await webImage();
    const evil = { ...image, layers: [...image.layers, [{ name: 'a', type: '2', linkName: '../../..' }, { name: 'a/escape' }]] };
    const operation = await build(dockerArchive([evil]), { serviceId: 'evil' });
    expect(operation).toMatchObject({
      state: 'failed',
      problem: { code: 'unsafe-image', detail: expect.stringContaining('leads outside') },
    });
    expect(await cloudlet.held()).toEqual([]);
    await expect(view('evil')).rejects.toMatchObject({ code: 'not-found' });
  });
});
