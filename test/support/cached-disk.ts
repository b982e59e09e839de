import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, glob, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkoutDir } from '../../temporal/config/load-config.ts';
import type { AssembleContext, AssembledDisk } from '../../workflows/contract/catalogue.ts';

const cache = join(checkoutDir, '.cloudlet', 'cache');
const guestDisk = join(checkoutDir, 'activities', 'images', 'guest-disk');

export interface CachedDisk {
  readonly name: string;
  /** Whose files it is made of, besides what all guests are made of. */
  readonly sources: string;
  /** What else it is made of, as text. */
  readonly extra?: string;
  readonly assemble: (context: AssembleContext) => Promise<AssembledDisk>;
}

/**
 * Assembles a guest's disk once for all test runs, until a source of it changes.
 * @returns path of a qcow2 that nobody may write to
 */
export async function cachedDisk(disk: CachedDisk): Promise<string> {
  const path = join(cache, `test-${disk.name}-${await fingerprint(disk)}.qcow2`);
  if (existsSync(path)) return path;
  const workDirectory = await mkdtemp(join(tmpdir(), `cloudlet-${disk.name}-`));
  try {
    await mkdir(cache, { recursive: true });
    const nothing = () => undefined;
    const { diskPath } = await disk.assemble({
      workDirectory,
      cacheDirectory: cache,
      signal: new AbortController().signal,
      log: { info: nothing, warn: nothing, error: nothing },
      progress: nothing,
    });
    await copyFile(diskPath, `${path}.${process.pid}`);
    await rename(`${path}.${process.pid}`, path);
    return path;
  } finally {
    await rm(workDirectory, { recursive: true, force: true });
  }
}

async function fingerprint({ sources: own, extra = '' }: CachedDisk): Promise<string> {
  const hash = createHash('sha256').update(extra);
  const sources: string[] = [];
  for (const folder of [own, guestDisk]) {
    for await (const entry of glob('**/*', { cwd: folder, withFileTypes: true })) {
      if (entry.isFile()) sources.push(join(entry.parentPath, entry.name));
    }
  }
  for (const source of sources.toSorted()) hash.update(source.slice(checkoutDir.length)).update(await readFile(source));
  return hash.digest('hex').slice(0, 16);
}
