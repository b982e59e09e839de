import { readdirSync } from 'node:fs';
import { Readable } from 'node:stream';
import { randomUUID } from 'node:crypto';
import { expect, it, describe } from 'vitest';
import { Upload as TusUpload } from '@tus/server';
import { hostPaths } from '../../activities/images/host-paths.ts';
import { UploadFiles } from '../../activities/uploads/upload-files.ts';
import { readCommandLine } from '../../temporal/supervisor/process-identity.ts';
import type { ErrorCode, ErrorFacts } from '../../workflows/contract/errors.ts';
import { bytesPerMib } from '../../workflows/contract/units.ts';
import { adminOperations, type AdminOperation, type Workbench } from '../support/admin-operations.ts';
import { eventually } from '../support/eventually.ts';
import { expectNothingLeft } from '../support/leftovers.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { echoService } from '../support/echo-service.ts';

const operationNamed = (name: string): AdminOperation => adminOperations.find((operation) => operation.name === name)!;
const diskFull = { code: 'capacity-exhausted', resource: 'disk' } as const;
/** As much as a service may ask for, and more than this machine has. */
const endlessMib = 1024 * 1024;

/** Operations on a host that has run out of something. Each says so, and leaves nothing. */
export function exhaustResources(bench: () => Workbench): void {
  const paths = () => hostPaths(bench().cloudlet.parts.dataDir.root);
  const disk = () => bench().cloudlet.parts.disk!;

  /** Begins an operation that is to fail. */
  async function fails(name: AdminOperation['name'], problem: { readonly code: ErrorCode } & ErrorFacts): Promise<void> {
    const { begin, verify, takeBack } = await operationNamed(name).prepare(bench());
    const ended = await bench().ended(await begin(randomUUID()));
    expect(ended).toMatchObject({ state: 'failed', problem });
    await verify(ended);
    await takeBack();
  }

  describe('a disk that is full', () => {
    it('is told by a build, an import, an export and a start', async () => {
      await disk().fill(1);
      try {
        for (const name of ['build', 'import'] as const) await fails(name, diskFull);
        await expect(bench().cloudlet.phone().start(bench().echo)).rejects.toThrow(/^503: .*disk of this host is full/s);
      } finally {
        await disk().empty();
      }
      const exports = await mountSmallDisk(paths().exports, 8);
      try {
        await fails('export', diskFull);
      } finally {
        await exports.unmount();
      }
      await expectNothingLeft(bench().cloudlet);
    });

    it('keeps nobody from saving what was edited once there is room', async () => {
      const saving = await operationNamed('save').prepare(bench());
      await disk().fill(1);
      const id = await saving.begin('');
      await eventually(async () => {
        const { progress } = await bench().operation(id);
        expect(progress).toMatchObject({ phase: 'edit', message: expect.stringMatching(/^It was not saved.*disk of this host is full/) });
      }, 30_000);
      await disk().empty();
      const ended = await bench().ended(id, saving.look);
      expect(ended).toMatchObject({ state: 'succeeded' });
      await saving.verify(ended);
      await saving.takeBack();
      await expectNothingLeft(bench().cloudlet);
    });

    it('interrupts an upload, which goes on where it was', async () => {
      const sizeBytes = 16 * bytesPerMib;
      const uploads = await mountSmallDisk(paths().uploads, 24);
      const { store } = bench().cloudlet;
      // As if others took the room in the same moment: what is free was looked at before.
      const files = new UploadFiles({ store, paths: paths(), maximumBytes: sizeBytes, freeBytes: async () => 1024 * sizeBytes });
      const id = randomUUID();
      const send = async (offset: number) => files.write(Readable.from(chunksOf(sizeBytes - offset)), id, offset);
      try {
        await files.create(new TusUpload({ id, offset: 0, size: sizeBytes, metadata: { filename: 'large' } }));
        await uploads.fill(8);
        await expect(send(0)).rejects.toMatchObject({ code: 'capacity-exhausted', facts: { resource: 'disk' } });
        const received = (await files.receivedBytes(id))!;
        expect(received).toBeGreaterThanOrEqual(7 * bytesPerMib);
        await uploads.empty();
        expect(await send(received)).toBe(sizeBytes);
        await files.remove(id);
      } finally {
        await uploads.unmount();
      }
    });
  });

  describe('a disk that is read-only', () => {
    it('is told by a build, an import and a start', async () => {
      await disk().setReadOnly(true);
      try {
        for (const name of ['build', 'import'] as const) await fails(name, { code: 'disk-read-only' });
        await expect(bench().cloudlet.phone().start(bench().echo)).rejects.toThrow(/^503: .*read-only/s);
      } finally {
        await disk().setReadOnly(false);
      }
      await expectNothingLeft(bench().cloudlet);
    });
  });

  describe('memory that is not there', () => {
    const greedy = (): ReturnType<typeof echoService> =>
      echoService(bench().disk, { serviceId: `greedy.${randomUUID()}`, memory: { minimumMib: endlessMib, idealMib: endlessMib } });
    const memoryShort = { code: 'capacity-exhausted', resource: 'memory', needed: endlessMib } as const;

    it('is told by a build, an edit and a start', async () => {
      const service = greedy();
      const build = async (save: boolean) => {
        const { operationId } = await bench().ask<{ operationId: string }>('POST', '/v1/services', { ...service, save });
        return bench().ended(operationId);
      };
      expect(await build(true)).toMatchObject({ state: 'failed', problem: memoryShort });
      expect(await build(false)).toMatchObject({ state: 'succeeded' });
      const edit = await bench().ask<{ operationId: string }>('POST', `/v1/services/${service.serviceId}/edit`);
      expect(await bench().ended(edit.operationId)).toMatchObject({ state: 'failed', problem: memoryShort });
      await expect(bench().cloudlet.phone().start(service.serviceId)).rejects.toThrow(/^503: .*MiB are free/s);
      await bench().purge(service.serviceId);
      await expectNothingLeft(bench().cloudlet);
    });

    it('costs a build its guest: the kernel kills QEMU', async () => {
      const { begin, verify, takeBack } = await operationNamed('build').prepare(bench());
      const id = await begin(randomUUID());
      await eventually(async () => expect((await bench().operation(id)).progress?.phase).toBe('probe'), 60_000);
      process.kill(pidOfGuest((await bench().cloudlet.domains())[0]!), 'SIGKILL');
      const ended = await bench().ended(id);
      const detail = expect.stringMatching(/^QEMU was killed or crashed while .* enough memory/) as string;
      expect(ended).toMatchObject({ state: 'failed', problem: { code: 'guest-unresponsive', detail } });
      await verify(ended);
      await takeBack();
      await expectNothingLeft(bench().cloudlet);
    });
  });
}

function* chunksOf(sizeBytes: number): Generator<Buffer> {
  for (let left = sizeBytes; left > 0; left -= bytesPerMib) yield Buffer.alloc(Math.min(left, bytesPerMib));
}

/** QEMU's process, whose command line names its guest. */
function pidOfGuest(domain: string): number {
  const pid = readdirSync('/proc')
    .map(Number)
    .find((candidate) => readCommandLine(candidate).includes(`guest=${domain},`));
  if (pid === undefined) throw new Error(`No QEMU runs ${domain}`);
  return pid;
}
