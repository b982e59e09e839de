import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sectorBytes } from './partition-table.ts';
import { runTool } from './run-tool.ts';

/** What the boot partition holds. */
export interface BootFiles {
  readonly kernel: Uint8Array;
  readonly initramfs: Uint8Array;
  /** The kernel's command line. */
  readonly commandLine: string;
}

const spareBytes = 2 * 2 ** 20;
const volumeId = 'c10d1e70';

/** Bytes that the partition must have: whole MiB. */
export function fatBytes({ kernel, initramfs }: BootFiles): number {
  const mebibyte = 2 ** 20;
  return Math.ceil((kernel.length + initramfs.length + spareBytes) / mebibyte) * mebibyte;
}

/**
 * Makes a FAT file system with kernel, initramfs and the boot loader syslinux in a part of a raw disk file.
 * @param workDirectory where the files lie meanwhile
 */
export async function writeFatBoot(
  files: BootFiles,
  disk: { readonly path: string; readonly offsetBytes: number; readonly sizeBytes: number },
  workDirectory: string,
  signal: AbortSignal,
): Promise<void> {
  const contents = { vmlinuz: files.kernel, 'initrd.gz': files.initramfs, 'syslinux.cfg': syslinuxConfiguration(files.commandLine) };
  const sources = await Promise.all(
    Object.entries(contents).map(async ([name, content]) => {
      const source = path.join(workDirectory, name);
      await writeFile(source, content);
      return source;
    }),
  );
  const firstSector = disk.offsetBytes / sectorBytes;
  const position = ['--offset', `${firstSector}`, '-h', `${firstSector}`, '-g', '16/63'];
  await runTool(
    'mkfs.fat',
    ['-F', '16', '--invariant', '-i', volumeId, '-n', 'BOOT', ...position, disk.path, `${disk.sizeBytes / 1024}`],
    signal,
  );
  await runTool('mcopy', ['-i', `${disk.path}@@${disk.offsetBytes}`, ...sources, '::/'], signal);
  await runTool('syslinux', ['--offset', `${disk.offsetBytes}`, '--install', disk.path], signal);
}

const syslinuxConfiguration = (commandLine: string): string =>
  [
    'SERIAL 0 115200',
    'DEFAULT cloudlet',
    'PROMPT 0',
    'TIMEOUT 0',
    'LABEL cloudlet',
    ' KERNEL vmlinuz',
    ' INITRD initrd.gz',
    ` APPEND ${commandLine}`,
    '',
  ].join('\n');
