import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { testOvf } from '../../activities/bundles/test-support/test-ova.ts';
import { tarArchive } from '../../test/support/tar-archive.ts';
import { bringSource } from './bring-source.ts';

let folder: string;
let imports: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cloudlet-bring-'));
  imports = join(folder, 'import');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function put(name: string, content: string | Buffer = ''): Promise<string> {
  await writeFile(join(folder, name), content);
  return join(folder, name);
}

it.each([
  ['my.disk.qcow2', 'qcow2', 'my.disk'],
  ['my.VDI', 'vdi', 'my'],
  ['disk.img', 'qcow2', 'disk'],
])('takes %s for a disk in %s, and names the service %s', async (file, format, name) => {
  const { remove, ...brought } = await bringSource(imports, await put(file), {});
  const [taken] = await readdir(imports);
  expect(brought).toEqual({ source: { kind: 'disk', file: taken, format }, name });
  await remove();
  expect(await readdir(imports)).toEqual([]);
});

it('names the service after the machine in an OVA, unless somebody says another name', async () => {
  const ova = await put('first.ova', tarArchive([{ name: 'a.ovf', content: testOvf('a.vmdk') }]));
  expect((await bringSource(imports, ova, {})).name).toBe('My-appliance');
  expect(await bringSource(imports, ova, { id: 'other' })).toMatchObject({ name: 'first', source: { format: 'ova' } });
  await rm(imports, { recursive: true });
  await expect(bringSource(imports, await put('none.ova', 'x'.repeat(600)), {})).rejects.toMatchObject({ code: 'unprocessable-bundle' });
  expect(existsSync(imports)).toBe(false);
});

it('takes a container image for one, whatever its ending', async () => {
  const given = await put('app.tar.gz');
  const { source, name } = await bringSource(imports, given, { container: given, image: 'app:1', env: { A: 'b' } });
  expect([source, name]).toEqual([
    { kind: 'container', file: expect.stringMatching(/\.tar$/) as string, image: 'app:1', environment: { A: 'b' } },
    'app',
  ]);
});

it('takes disks and states of a folder, named as the service', async () => {
  await mkdir(join(folder, 'edu.speech/more'), { recursive: true });
  for (const name of ['a.qcow2', 'a.qcow2.lqs', 'notes.txt']) await put(`edu.speech/${name}`);
  const { source, name, remove } = await bringSource(imports, `${join(folder, 'edu.speech')}/`, {});
  const [taken] = await readdir(imports);
  expect([source, name]).toEqual([{ kind: 'pair', folder: taken }, 'edu.speech']);
  expect((await readdir(join(imports, taken!))).toSorted()).toEqual(['a.qcow2', 'a.qcow2.lqs']);
  await remove();
  expect(await readdir(imports)).toEqual([]);
});

it('leaves alone what lies in the import folder already', async () => {
  await mkdir(join(imports, 'speech'), { recursive: true });
  const { source, remove } = await bringSource(imports, join(imports, 'speech'), {});
  await remove();
  expect([source, await readdir(imports)]).toEqual([{ kind: 'pair', folder: 'speech' }, ['speech']]);
});

it('says what cannot be read', async () => {
  await expect(bringSource(imports, join(folder, 'missing.qcow2'), {})).rejects.toMatchObject({ code: 'not-found' });
});
