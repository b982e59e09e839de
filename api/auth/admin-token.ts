import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export const adminTokenPath = (dataDirectory: string): string => join(dataDirectory, 'admin.token');

/** The token that makes its bearer an admin. The first start writes it, for the eyes of our own user only. */
export async function adminToken(dataDirectory: string): Promise<string> {
  const path = adminTokenPath(dataDirectory);
  try {
    await writeFile(path, `cla_${randomBytes(24).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return (await readFile(path, 'utf8')).trim();
}
