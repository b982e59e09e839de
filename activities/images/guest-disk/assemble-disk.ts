import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { AssembleContext, AssembledDisk } from '../../../workflows/contract/catalogue.ts';
import { bytesPerMib } from '../../../workflows/contract/units.ts';
import { baseRoot } from './base-root.ts';
import { bootFiles, isKernel, writeBootDisk } from './boot-disk.ts';
import { tellDiskFull } from './disk-full.ts';
import { treeSize } from './ext4-root.ts';
import { compileGuestAgent, guestAgentPath } from './guest-agent/compile-guest-agent.ts';
import { guestPackages } from './guest-packages.ts';
import { layOutGuestRoot, type ExtraFile } from './guest-root.ts';

/** What makes one guest different from another. */
export interface GuestPlan {
  readonly hostname: string;
  /** Debian packages that its service needs, besides busybox. What they depend on comes with them. */
  readonly packages: readonly string[];
  /** Folder whose files are laid over the guest's root. */
  readonly overlay: string;
  readonly extraFiles?: readonly ExtraFile[];
  /** Room that is left on its disk. Default: next to none. */
  readonly spareMib?: number;
}

/** Inodes for a MiB of files of the usual size. */
const sparePerMib = 16;

/**
 * Assembles a bootable qcow2 disk from Debian packages, whose root is made of them. Equal packages and files give equal
 * bytes.
 * @throws CloudletError naming the tool or package that is missing or failed
 */
export function assembleDisk(plan: GuestPlan, context: AssembleContext): Promise<AssembledDisk> {
  return assemble(plan, context).catch(tellDiskFull);
}

async function assemble(plan: GuestPlan, context: AssembleContext): Promise<AssembledDisk> {
  const { workDirectory, signal } = context;
  const packages = await guestPackages(plan.packages, {
    ...context,
    progress: (percent, message) => context.progress(percent * 0.5, message),
  });

  context.progress(50, 'Unpacking the packages');
  const rootDirectory = path.join(workDirectory, 'root');
  const overlays = [baseRoot, plan.overlay];
  const ownPackages = packages.filter((found) => !isKernel(found));
  const agent: ExtraFile = { path: guestAgentPath, content: await compileGuestAgent(workDirectory, signal), executable: true };
  await layOutGuestRoot(
    { hostname: plan.hostname, packages: ownPackages, overlays, extraFiles: [agent, ...(plan.extraFiles ?? [])] },
    rootDirectory,
    signal,
  );

  context.progress(70, 'Preparing the kernel');
  const programs = {
    busybox: await readFile(path.join(rootDirectory, 'bin/busybox')),
    init: await readFile(path.join(import.meta.dirname, 'initramfs', 'init')),
  };
  const boot = await bootFiles(packages, programs, context);

  context.progress(85, 'Writing the disk');
  const spare = plan.spareMib === undefined ? {} : { spare: { bytes: plan.spareMib * bytesPerMib, inodes: sparePerMib * plan.spareMib } };
  const root = { directory: rootDirectory, size: await treeSize(rootDirectory), ...spare };
  const disk = await writeBootDisk(boot, root, context);
  context.progress(100, 'The disk is assembled');
  return disk;
}
