import { open, readdir, readFile, rm, truncate } from 'node:fs/promises';
import path from 'node:path';
import type { AssembleContext, AssembledDisk } from '../../../workflows/contract/catalogue.ts';
import { CloudletError } from '../../../workflows/contract/errors.ts';
import type { DebianPackage } from './debian-packages.ts';
import { ext4Bytes, writeExt4Root, type Ext4Root } from './ext4-root.ts';
import { fatBytes, writeFatBoot, type BootFiles } from './fat-boot.ts';
import { bootCodePath } from './host-tools.ts';
import { initramfs, type FirstPrograms } from './initramfs.ts';
import { readKernelModules } from './kernel-modules.ts';
import { masterBootRecord, sectorBytes } from './partition-table.ts';
import { runTool } from './run-tool.ts';

export const kernelPackage = 'linux-image-cloud-amd64';
export const isKernel = ({ name }: DebianPackage): boolean => name.startsWith('linux-image-');

/**
 * - panic=1: after a panic that the hypervisor did not act upon, the guest boots again.
 * - unknown_nmi_panic: an NMI from the hypervisor (virsh inject-nmi) panics a guest that hangs.
 * - init_on_free=1: freed memory is zero, and zero pages cost nothing in a saved state.
 * - cryptomgr.notests: saves 0.2 s of self-tests.
 */
const commandLine = 'console=ttyS0 quiet panic=1 unknown_nmi_panic init_on_free=1 cryptomgr.notests';
const diskSignature = 0xc10d_1e70;
const firstPartitionBytes = 2 ** 20;
const fat16Type = 0x0e;
const linuxType = 0x83;

/** Debian's cloud kernel, and an initramfs with the modules that a guest needs. */
export async function bootFiles(
  packages: readonly DebianPackage[],
  programs: FirstPrograms,
  { workDirectory, signal }: AssembleContext,
): Promise<BootFiles> {
  const kernelDirectory = path.join(workDirectory, 'kernel');
  for (const { path: file } of packages.filter(isKernel)) await runTool('dpkg', ['-x', file, kernelDirectory], signal);
  const modulesParent = path.join(kernelDirectory, 'lib/modules');
  const [version] = await readdir(modulesParent);
  if (version === undefined) throw new CloudletError('image-unavailable', `The Debian package ${kernelPackage} brought no kernel.`);
  const modules = await readKernelModules(path.join(modulesParent, version), signal);
  return {
    kernel: await readFile(path.join(kernelDirectory, 'boot', `vmlinuz-${version}`)),
    initramfs: await initramfs(programs, modules),
    commandLine,
  };
}

/**
 * Writes a bootable qcow2 disk: SeaBIOS starts syslinux on a FAT partition, that the kernel with an initramfs, and that
 * finds the root on the second, an ext4 partition. Needs neither root nor a mount. The root's folder is gone afterwards.
 */
export async function writeBootDisk(boot: BootFiles, root: Ext4Root, { workDirectory, signal }: AssembleContext): Promise<AssembledDisk> {
  const rawPath = path.join(workDirectory, 'disk.raw');
  const fat = { path: rawPath, offsetBytes: firstPartitionBytes, sizeBytes: fatBytes(boot) };
  const ext4 = { path: rawPath, offsetBytes: fat.offsetBytes + fat.sizeBytes, sizeBytes: ext4Bytes(root) };
  const partitions = [
    { type: fat16Type, active: true, firstSector: fat.offsetBytes / sectorBytes, sectorCount: fat.sizeBytes / sectorBytes },
    { type: linuxType, active: false, firstSector: ext4.offsetBytes / sectorBytes, sectorCount: ext4.sizeBytes / sectorBytes },
  ];
  {
    await using disk = await open(rawPath, 'w');
    await truncate(rawPath, ext4.offsetBytes + ext4.sizeBytes);
    await disk.write(masterBootRecord(await readBootCode(), diskSignature, partitions));
  }
  await writeFatBoot(boot, fat, workDirectory, signal);
  await writeExt4Root(root, ext4, signal);
  // What is on the disk now need not take room here beside it.
  await rm(root.directory, { recursive: true });
  const diskPath = path.join(workDirectory, 'disk.qcow2');
  await runTool('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', rawPath, diskPath], signal);
  await rm(rawPath);
  return { diskPath, format: 'qcow2' };
}

async function readBootCode(): Promise<Uint8Array> {
  try {
    return await readFile(bootCodePath);
  } catch (cause) {
    throw new CloudletError(
      'image-unavailable',
      `${bootCodePath} is missing on this host. Install the Debian package syslinux-common and try again.`,
      {},
      { cause },
    );
  }
}
