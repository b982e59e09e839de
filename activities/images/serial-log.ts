import { open } from 'node:fs/promises';
import { bytesPerMib } from '../../workflows/contract/units.ts';
import { serialLogPath, type HostPaths } from './host-paths.ts';

const maximumBytes = bytesPerMib;

/** The end of what an instance's guest wrote to its console; undefined where this host has no such log. */
export async function readSerialLog(paths: HostPaths, serviceVmId: string): Promise<string | undefined> {
  const file = await open(serialLogPath(paths, serviceVmId)).catch(() => undefined);
  if (!file) return undefined;
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - maximumBytes);
    const buffer = Buffer.alloc(size - start);
    await file.read(buffer, 0, buffer.length, start);
    return buffer.toString('utf8');
  } finally {
    await file.close();
  }
}
