import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { nameInOva } from '../../activities/bundles/name-in-ova.ts';
import type { NewService } from '../../workflows/contract/http.ts';
import { sourceFormats, type SourceFormat } from '../../workflows/contract/image-source.ts';
import { takeFolderToImports, takeToImports, type TakenFile } from '../cli/take-to-imports.ts';

/** What a person says of what a service is made of. */
export interface SourceOptions {
  /** Of the service. */
  readonly id?: string;
  readonly format?: SourceFormat;
  readonly container?: string;
  readonly image?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
}

/** What somebody brings, where the cloudlet finds it. */
export interface Brought extends Pick<TakenFile, 'remove'> {
  readonly source: NonNullable<NewService['source']>;
  /** Of the service, unless somebody says another. */
  readonly name: string;
}

/**
 * Puts what a person names where the cloudlet reads it: a container image, a disk, or a folder with a disk and its state.
 * @throws CloudletError `not-found`, `unprocessable-bundle`
 */
export async function bringSource(importDir: string, given: string, options: SourceOptions): Promise<Brought> {
  const isFolder = await stat(given).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (options.container === undefined && isFolder) {
    const { name: folder, remove } = await takeFolderToImports(importDir, given, (name) => /\.(qcow2|lqs)$/.test(name));
    return { source: { kind: 'pair', folder }, name: basename(resolve(given)), remove };
  }
  const name = basename(given).replace(/(\.tar)?\.[a-z0-9]+$/i, '');
  if (options.container !== undefined) {
    const { name: file, remove } = await takeToImports(importDir, given, 'tar');
    return { source: containerSource(file, options), name, remove };
  }
  const { format = endingOf(given) } = options;
  const nameInside = format === 'ova' && options.id === undefined ? await nameInOva(given) : undefined;
  const { name: file, remove } = await takeToImports(importDir, given, format);
  return { source: { kind: 'disk', file, format }, name: nameInside ?? name, remove };
}

const containerSource = (file: string, { image, env, command }: SourceOptions): NonNullable<NewService['source']> => ({
  kind: 'container',
  file,
  ...(image === undefined ? {} : { image }),
  ...(env ? { environment: env } : {}),
  ...(command ? { command: [...command] } : {}),
});

/** A person who names a file `.vdi` means it; the cloudlet checks. */
const endingOf = (disk: string): SourceFormat => sourceFormats.find((format) => disk.toLowerCase().endsWith(`.${format}`)) ?? 'qcow2';
