import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Who this host is among the hosts of a cloudlet: written down once in its data directory. */
export async function hostId(dataDirectory: string): Promise<string> {
  const path = join(dataDirectory, 'host-id');
  try {
    await mkdir(dataDirectory, { recursive: true });
    // Written by one process only, however many start at once.
    await writeFile(path, `${randomUUID()}\n`, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return (await readFile(path, 'utf8')).trim();
}
