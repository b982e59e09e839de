import { open, readdir, readFile, truncate } from 'node:fs/promises';
import path from 'node:path';
import { CloudletError } from '../../../workflows/contract/errors.ts';
import type { AssembleContext } from '../../../workflows/contract/catalogue.ts';
import { debianPackages, type DebianPackage } from './debian-packages.ts';
import { tellDiskFull } from './disk-full.ts';
import { ext4Bytes, treeSize, writeExt4Root } from './ext4-root.ts';
import { fatBytes, writeFatBoot, type BootFiles } from './fat-boot.ts';
import { layOutGuestRoot, type ExtraFile } from './guest-root.ts';
import { bootCodePath } from './host-tools.ts';
import { initramfs } from './initramfs.ts';
import { readKernelModules } from './kernel-modules.ts';
import { masterBootRecord, sectorBytes } from './partition-table.ts';
import { runTool } from './run-tool.ts';

/** What makes one guest different from another. */
export interface GuestPlan {
  readonly hostname: string;
  /** Debian packages that its service needs, besides busybox. What they depend on comes with them. */
  readonly packages: readonly string[];
  /** Folder whose files are laid over the guest's root. */
  readonly overlay: string;
  readonly extraFiles?: readonly ExtraFile[];
}

export interface AssembledDisk {
  readonly diskPath: string;
  readonly format: 'qcow2';
}

const kernelPackage = 'linux-image-cloud-amd64';
/** What packages need only to be installed, removed or logged in to, which never happens in a guest. */
const omittedPackages = [
  'adduser',
  'debconf',
  'dpkg',
  'fontconfig-config',
  'init-system-helpers',
  'initramfs-tools',
  'inetutils-syslogd',
  'kmod',
  'libdb5.3',
  'libncursesw6',
  'libnsl2',
  'libreadline8',
  'libsqlite3-0',
  'linux-base',
  'lsb-base',
  'media-types',
  'netbase',
  'perl',
  'systemd',
  'sysvinit-utils',
  'tcpd',
  'ucf',
  'update-inetd',
];

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

/**
 * Assembles a bootable qcow2 disk from Debian packages: SeaBIOS starts syslinux on a FAT partition, that the kernel with
 * an initramfs, and that mounts the ext4 partition as root. Needs neither root nor a mount. Equal packages and files
 * give equal bytes.
 * @throws CloudletError naming the tool or package that is missing or failed
 */
export function assembleDisk(plan: GuestPlan, context: AssembleContext): Promise<AssembledDisk> {
  return assemble(plan, context).catch(tellDiskFull);
}

async function assemble(plan: GuestPlan, context: AssembleContext): Promise<AssembledDisk> {
  const { workDirectory, signal } = context;
  const packages = await debianPackages(
    { roots: [kernelPackage, 'busybox-static', ...plan.packages], omitted: omittedPackages },
    { ...context, progress: (percent, message) => context.progress(percent * 0.5, message) },
  );
  const isKernel = ({ name }: DebianPackage): boolean => name.startsWith('linux-image-');

  context.progress(50, 'Unpacking the packages');
  const rootDirectory = path.join(workDirectory, 'root');
  const overlays = [path.join(import.meta.dirname, 'base-root'), plan.overlay];
  const guestPackages = packages.filter((found) => !isKernel(found));
  await layOutGuestRoot(
    { hostname: plan.hostname, packages: guestPackages, overlays, extraFiles: plan.extraFiles ?? [] },
    rootDirectory,
    signal,
  );

  context.progress(70, 'Preparing the kernel');
  const boot = await bootFiles(packages.filter(isKernel), rootDirectory, context);

  context.progress(85, 'Writing the disk');
  const rawPath = path.join(workDirectory, 'disk.raw');
  await writeRawDisk(rawPath, boot, rootDirectory, context);
  const diskPath = path.join(workDirectory, 'disk.qcow2');
  await runTool('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', rawPath, diskPath], signal);
  context.progress(100, 'The disk is assembled');
  return { diskPath, format: 'qcow2' };
}

async function bootFiles(
  kernelPackages: readonly DebianPackage[],
  rootDirectory: string,
  { workDirectory, signal }: AssembleContext,
): Promise<BootFiles> {
  const kernelDirectory = path.join(workDirectory, 'kernel');
  for (const { path: file } of kernelPackages) await runTool('dpkg', ['-x', file, kernelDirectory], signal);
  const modulesParent = path.join(kernelDirectory, 'lib/modules');
  const [version] = await readdir(modulesParent);
  if (version === undefined) throw new CloudletError('image-unavailable', `The Debian package ${kernelPackage} brought no kernel.`);
  const modules = await readKernelModules(path.join(modulesParent, version), signal);
  return {
    kernel: await readFile(path.join(kernelDirectory, 'boot', `vmlinuz-${version}`)),
    initramfs: await initramfs(await readFile(path.join(rootDirectory, 'bin/busybox')), modules),
    commandLine,
  };
}

async function writeRawDisk(
  rawPath: string,
  boot: BootFiles,
  rootDirectory: string,
  { workDirectory, signal }: AssembleContext,
): Promise<void> {
  const fat = { path: rawPath, offsetBytes: firstPartitionBytes, sizeBytes: fatBytes(boot) };
  const root = { path: rawPath, offsetBytes: fat.offsetBytes + fat.sizeBytes, sizeBytes: ext4Bytes(await treeSize(rootDirectory)) };
  const partitions = [
    { type: fat16Type, active: true, firstSector: fat.offsetBytes / sectorBytes, sectorCount: fat.sizeBytes / sectorBytes },
    { type: linuxType, active: false, firstSector: root.offsetBytes / sectorBytes, sectorCount: root.sizeBytes / sectorBytes },
  ];
  await using disk = await open(rawPath, 'w');
  await truncate(rawPath, root.offsetBytes + root.sizeBytes);
  await disk.write(masterBootRecord(await readBootCode(), diskSignature, partitions));
  await writeFatBoot(boot, fat, workDirectory, signal);
  await writeExt4Root(rootDirectory, root, signal);
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
