import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AssembleContext, AssembledDisk } from '../../../workflows/contract/catalogue.ts';
import { asDiskError } from '../../run-tool.ts';
import { bootFiles, writeBootDisk } from '../guest-disk/boot-disk.ts';
import { compileGuestAgent } from '../guest-disk/guest-agent/compile-guest-agent.ts';
import { guestPackages } from '../guest-disk/guest-packages.ts';
import { runTool } from '../guest-disk/run-tool.ts';
import { containerInit } from './container-init.ts';
import { unpackContainer, type ContainerArchive, type UnpackedContainer } from './unpack-container.ts';
import { unpackLimits } from './unpack-limits.ts';

export type ContainerDisk = AssembledDisk & Pick<UnpackedContainer, 'ports'>;

/** Room for what the program writes; until it does, it costs nothing. */
const spare = { bytes: 2 ** 30, inodes: 65_536 };

/**
 * Makes a bootable disk of a container image: its layers are the root, and Debian's cloud kernel runs its program. Equal
 * archives give equal bytes.
 * @throws CloudletError as `unpackContainer` says
 */
export async function assembleContainerDisk(source: ContainerArchive, context: AssembleContext): Promise<ContainerDisk> {
  try {
    return await assemble(source, context);
  } catch (error) {
    throw asDiskError(error);
  }
}

async function assemble(source: ContainerArchive, context: AssembleContext): Promise<ContainerDisk> {
  const { signal } = context;
  const workDirectory = join(context.workDirectory, 'container');
  await mkdir(workDirectory, { mode: 0o700 });
  const within = { ...context, workDirectory };
  const part = (from: number, to: number) => ({
    ...within,
    progress: (percent: number, message: string) => context.progress(from + (percent * (to - from)) / 100, message),
  });
  const { root, process, hostname, ports } = await unpackContainer(source, part(0, 60), unpackLimits);
  const packages = await guestPackages([], part(60, 70));

  context.progress(70, 'Preparing the kernel');
  const busyboxDirectory = join(workDirectory, 'busybox');
  await runTool('dpkg', ['-x', packages.find(({ name }) => name === 'busybox-static')!.path, busyboxDirectory], signal);
  const busybox = await readFile(join(busyboxDirectory, 'bin/busybox'));
  const init = await containerInit(process, hostname, await compileGuestAgent(workDirectory, signal));
  const boot = await bootFiles(packages, { busybox, ...init }, within);

  context.progress(80, 'Writing the disk');
  const disk = await writeBootDisk(boot, { ...root, spare }, within);
  context.progress(100, 'The disk is assembled');
  return { ...disk, ...(ports ? { ports } : {}) };
}
