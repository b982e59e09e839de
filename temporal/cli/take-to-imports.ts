import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, mkdir, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { readableFile } from './readable-file.ts';

export interface TakenFile {
  /** In the import folder. */
  readonly name: string;
  /** Takes the copy away again; a file that lay there before stays. */
  readonly remove: () => Promise<void>;
}

/**
 * Puts a file into the import folder, the only place that the cloudlet reads from. Nothing is copied where it lies there
 * already, where another name will do, or where the file system can share blocks.
 * @param ending of the name that it gets
 * @throws CloudletError `not-found` where it cannot be read
 */
export async function takeToImports(importDir: string, file: string, ending: string): Promise<TakenFile> {
  const { path: source } = await readableFile(file);
  if (dirname(source) === resolve(importDir)) return { name: basename(source), remove: async () => undefined };
  const name = `${randomUUID()}.${ending}`;
  const path = join(importDir, name);
  await mkdir(importDir, { recursive: true });
  await share(source, path);
  return { name, remove: () => rm(path, { force: true }) };
}

/**
 * The same with the files of a folder, those of folders in it left out.
 * @param isWanted whether a file is to be there, by its name
 */
export async function takeFolderToImports(importDir: string, folder: string, isWanted: (name: string) => boolean): Promise<TakenFile> {
  const source = resolve(folder);
  if (dirname(source) === resolve(importDir)) return { name: basename(source), remove: async () => undefined };
  const name = randomUUID();
  const path = join(importDir, name);
  await mkdir(path, { recursive: true });
  const remove = () => rm(path, { recursive: true, force: true });
  try {
    for (const entry of await readdir(source, { withFileTypes: true })) {
      if (entry.isFile() && isWanted(entry.name)) await share(join(source, entry.name), join(path, entry.name));
    }
  } catch (error) {
    await remove();
    throw error;
  }
  return { name, remove };
}

const share = (source: string, path: string): Promise<void> =>
  link(source, path).catch(async () => {
    if (process.stderr.isTTY) process.stderr.write(`Copying ${source} to the import folder …\n`);
    await copyFile(source, path, constants.COPYFILE_FICLONE);
  });
