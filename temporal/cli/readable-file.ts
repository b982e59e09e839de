import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CloudletError } from '../../workflows/contract/errors.ts';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'There is no file',
  ENOTDIR: 'There is no file',
  EACCES: 'You may not read',
};

/**
 * A file that somebody named on a command line.
 * @returns its absolute path and its size
 * @throws CloudletError `not-found` or `invalid-input` where it is none, or cannot be read
 */
export async function readableFile(file: string): Promise<{ readonly path: string; readonly sizeBytes: number }> {
  const path = resolve(file);
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new CloudletError('invalid-input', `${path} is no file.`);
    await access(path, constants.R_OK);
    return { path, sizeBytes: found.size };
  } catch (error) {
    if (error instanceof CloudletError) throw error;
    const { code = '' } = error as NodeJS.ErrnoException;
    throw new CloudletError('not-found', `${reasons[code] ?? `${code}:`} ${path}.`);
  }
}
