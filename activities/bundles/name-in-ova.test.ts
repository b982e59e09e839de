import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { nameInOva } from './name-in-ova.ts';
import { tarArchive } from '../../test/support/tar-archive.ts';
import { withTestFolder } from './test-support/test-bundle.ts';
import { testOvf } from './test-support/test-ova.ts';

const nameIn = (bytes: Buffer) =>
  withTestFolder(async (folder) => {
    const file = join(folder, 'my.ova');
    await writeFile(file, bytes);
    return nameInOva(file);
  });

it('is that of the machine, as a service can have it', async () => {
  expect(await nameIn(tarArchive([{ name: 'a.ovf', content: testOvf('a.vmdk') }, { name: 'a.vmdk' }]))).toBe('My-appliance');
});

it('is not there in another archive, nor in what is none', async () => {
  expect(await nameIn(tarArchive([{ name: 'service.json', content: '{}' }]))).toBeUndefined();
  await expect(nameIn(Buffer.alloc(2000, 'x'))).rejects.toMatchObject({ code: 'unprocessable-bundle' });
  await expect(nameInOva('/nowhere.ova')).rejects.toMatchObject({ code: 'not-found' });
});
