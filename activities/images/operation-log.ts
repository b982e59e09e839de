import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bytesPerMib } from '../../workflows/contract/units.ts';
import { operationLogPath, type HostPaths } from './host-paths.ts';

const maximumAnswerBytes = bytesPerMib;
/** Logs outlive their operation, so that a failure can be understood; the oldest go. */
const keptLogs = 200;

/**
 * Part of what an operation wrote to its log.
 * @param fromByte where to begin; without it the last MiB
 * @returns undefined where this host has no log of it
 */
export async function readOperationLog(paths: HostPaths, operationId: string, fromByte?: number): Promise<Buffer | undefined> {
  const file = await open(operationLogPath(paths, operationId)).catch(() => undefined);
  if (!file) return undefined;
  try {
    const { size } = await file.stat();
    const start = Math.min(size, fromByte ?? Math.max(0, size - maximumAnswerBytes));
    const buffer = Buffer.alloc(Math.min(size - start, maximumAnswerBytes));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** A log that grows with what it is told, and says how much it holds: that is where a repeat goes on. */
export async function openOperationLog(paths: HostPaths, operationId: string) {
  const path = operationLogPath(paths, operationId);
  await mkdir(dirname(path), { recursive: true });
  await removeOldest(dirname(path));
  const file = await open(path, 'a');
  let { size } = await file.stat();
  return {
    sizeBytes: () => size,
    async append(bytes: Buffer): Promise<void> {
      await file.write(bytes);
      size += bytes.length;
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}

async function removeOldest(folder: string): Promise<void> {
  const logs = await Promise.all(
    (await readdir(folder)).map(async (name) => ({ path: join(folder, name), writtenAtMs: (await stat(join(folder, name))).mtimeMs })),
  );
  for (const { path } of logs.toSorted((a, b) => b.writtenAtMs - a.writtenAtMs).slice(keptLogs)) await rm(path, { force: true });
}
