import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, mkdir, open, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { CloudletError } from '../../workflows/contract/errors.ts';

export interface TakenFile {
  /** In the import folder. */
  readonly name: string;
  /** Takes the copy away again; a file that lay there before stays. */
  remove(): Promise<void>;
}

/**
 * Puts a file into the import folder, the only place that the cloudlet reads from. Nothing is copied where it lies there
 * already, where another name will do, or where the file system can share blocks.
 * @param ending of the name that it gets
 * @throws CloudletError `not-found` where it cannot be read
 */
export async function takeToImports(importDir: string, file: string, ending: string): Promise<TakenFile> {
  const source = resolve(file);
  await open(source).then(
    (handle) => handle.close(),
    (error: NodeJS.ErrnoException) => {
      throw new CloudletError('not-found', `The file ${source} cannot be read (${error.code}).`);
    },
  );
  if (dirname(source) === resolve(importDir)) return { name: source.slice(dirname(source).length + 1), remove: async () => undefined };
  const name = `${randomUUID()}.${ending}`;
  const path = join(importDir, name);
  await mkdir(importDir, { recursive: true });
  await link(source, path).catch(() => copyFile(source, path, constants.COPYFILE_FICLONE));
  return { name, remove: () => rm(path, { force: true }) };
}
