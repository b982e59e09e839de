import type { Stats } from 'node:fs';
import { chmod, copyFile, lstat, lutimes, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { imageTimeSeconds } from './image-time.ts';
import { runTool } from './run-tool.ts';
import type { DebianPackage } from './debian-packages.ts';

/** A file put into a guest's root over everything else. */
export interface ExtraFile {
  /** Absolute path in the guest. */
  readonly path: string;
  readonly content: string | Uint8Array;
  /** Default false. */
  readonly executable?: boolean;
}

export interface GuestRootPlan {
  readonly hostname: string;
  readonly packages: readonly DebianPackage[];
  /** Folders whose files are laid over the packages, in this order. */
  readonly overlays: readonly string[];
  readonly extraFiles: readonly ExtraFile[];
}

/** What packages ship for people and installers, of no use in a guest. */
const prunedPaths = [
  'usr/share/bug',
  'usr/share/doc',
  'usr/share/doc-base',
  'usr/share/info',
  'usr/share/lintian',
  'usr/share/locale',
  'usr/share/man',
  'usr/lib/x86_64-linux-gnu/gconv',
  'etc/init.d',
  'etc/default',
];
const mountPoints = ['dev', 'proc', 'run', 'sys', 'tmp'];

/** Lays out a guest's root file system in `directory`. */
export async function layOutGuestRoot(plan: GuestRootPlan, directory: string, signal: AbortSignal): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const { path: file } of plan.packages) await runTool('dpkg', ['-x', file, directory], signal);
  for (const pruned of prunedPaths) await rm(path.join(directory, pruned), { recursive: true, force: true });
  for (const name of mountPoints) await mkdir(path.join(directory, name), { recursive: true });
  await linkBusyboxCommands(directory, signal);
  await symlink('/run/machine-id', await roomFor(directory, 'etc/machine-id'));
  await symlink('/run/resolv.conf', await roomFor(directory, 'etc/resolv.conf'));
  for (const overlay of plan.overlays) await layOver(overlay, directory);
  await writeGuestFile(directory, { path: '/etc/hostname', content: `${plan.hostname}\n` });
  for (const file of plan.extraFiles) await writeGuestFile(directory, file);
  await settle(directory);
}

/** Every command of busybox that no package brings in a fuller version. */
async function linkBusyboxCommands(directory: string, signal: AbortSignal): Promise<void> {
  const listing = await runTool(`/${path.relative('/', path.join(directory, 'bin/busybox'))}`, ['--list-full'], signal);
  for (const link of listing.split('\n').filter(Boolean)) {
    await mkdir(path.dirname(path.join(directory, link)), { recursive: true });
    await symlink('/bin/busybox', path.join(directory, link)).catch(unlessPresent);
  }
}

function unlessPresent(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

async function roomFor(directory: string, guestPath: string): Promise<string> {
  const target = path.join(directory, guestPath);
  await mkdir(path.dirname(target), { recursive: true });
  await rm(target, { force: true });
  return target;
}

async function layOver(overlay: string, directory: string): Promise<void> {
  for (const entry of await readdir(overlay, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const source = path.join(entry.parentPath, entry.name);
    await copyFile(source, await roomFor(directory, path.relative(overlay, source)));
  }
}

async function writeGuestFile(directory: string, file: ExtraFile): Promise<void> {
  const target = await roomFor(directory, file.path);
  await writeFile(target, file.content, { mode: file.executable === true ? 0o755 : 0o644 });
}

/** Modes and times alike wherever the tree is laid out: the host's umask and clock do not reach the guest. */
async function settle(directory: string): Promise<void> {
  for (const name of ['', ...(await readdir(directory, { recursive: true }))]) {
    const file = path.join(directory, name);
    const status = await lstat(file);
    if (!status.isSymbolicLink()) await chmod(file, status.isDirectory() || isExecutable(status) ? 0o755 : 0o644);
    await lutimes(file, imageTimeSeconds, imageTimeSeconds);
  }
}

const isExecutable = ({ mode }: Stats): boolean => (mode & 0o100) !== 0;
