import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a build of the manager is made from, beside what is installed. */
const roots = ['manager', 'workflows/contract'] as const;
const lockFile = 'package-lock.json';

/** What builds leave behind, and what they do not read. */
const ignoredFolders: ReadonlySet<string> = new Set(['.next', 'dist', 'node_modules']);
const isSource = (name: string): boolean => name !== 'next-env.d.ts' && !name.endsWith('.test.ts') && !name.endsWith('.tsbuildinfo');

/**
 * Names one state of the sources: the same text wherever the checkout lies.
 * @returns 16 hexadecimal digits
 */
export async function hashSources(checkoutDir: string): Promise<string> {
  const paths = [lockFile, ...(await Promise.all(roots.map((root) => sourcesIn(checkoutDir, root)))).flat()].toSorted();
  const digests = await Promise.all(paths.map(async (path) => `${path} ${sha256(await readFile(join(checkoutDir, path)))}\n`));
  return sha256(digests.join('')).slice(0, 16);
}

async function sourcesIn(checkoutDir: string, folder: string): Promise<readonly string[]> {
  const entries = await readdir(join(checkoutDir, folder), { withFileTypes: true });
  const found = entries.map(async (entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return ignoredFolders.has(entry.name) ? [] : sourcesIn(checkoutDir, path);
    return entry.isFile() && isSource(entry.name) ? [path] : [];
  });
  return (await Promise.all(found)).flat();
}

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
