import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { CloudletError } from '../../../workflows/contract/errors.ts';
import { runTool } from './run-tool.ts';

/** What a guest needs before it can mount its root, then its network, its agent's channel, its power button and its last cry (pvpanic). */
const guestModules = ['virtio_pci', 'virtio_blk', 'virtio_net', 'virtio_console', 'pvpanic_mmio', 'button', 'evdev'] as const;

/**
 * Reads the kernel's modules in the order in which the guest loads them.
 * @param modulesDirectory `lib/modules/<version>` of the unpacked kernel
 */
export async function readKernelModules(modulesDirectory: string, signal: AbortSignal): Promise<ReadonlyMap<string, Uint8Array>> {
  const version = path.basename(modulesDirectory);
  await runTool('depmod', ['-b', path.resolve(modulesDirectory, '../../..'), version], signal);
  const [dependencies, builtIn] = await Promise.all(
    ['modules.dep', 'modules.builtin'].map((name) => readFile(path.join(modulesDirectory, name), 'utf8')),
  );
  const modules = new Map<string, Uint8Array>();
  for (const file of modulesInLoadOrder(dependencies ?? '', builtIn ?? '', guestModules)) {
    modules.set(path.basename(file), await readFile(path.join(modulesDirectory, file)));
  }
  return modules;
}

/**
 * The files to load, each after those that it depends on.
 * @param modulesDep content of `modules.dep`: `file: file that it needs ...`
 * @param modulesBuiltIn content of `modules.builtin`, files that are part of this kernel
 * @throws CloudletError when the kernel lacks a module
 */
export function modulesInLoadOrder(modulesDep: string, modulesBuiltIn: string, wanted: readonly string[]): readonly string[] {
  const needs = new Map<string, readonly string[]>();
  for (const line of modulesDep.split('\n')) {
    const [file, list] = line.split(':');
    if (file && list !== undefined) needs.set(file, list.trim().split(/\s+/).filter(Boolean));
  }
  const fileOf = new Map([...needs.keys()].map((file) => [moduleName(file), file]));
  const builtIn = new Set(modulesBuiltIn.split('\n').map(moduleName));
  const order = new Set<string>();
  const add = (file: string): void => {
    if (order.has(file)) return;
    for (const needed of needs.get(file)?.toReversed() ?? []) add(needed);
    order.add(file);
  };
  for (const name of wanted) {
    const file = fileOf.get(name);
    if (file) add(file);
    else if (!builtIn.has(name))
      throw new CloudletError('image-unavailable', `Debian's cloud kernel has no module ${name}, so no guest can be assembled with it.`);
  }
  return [...order];
}

/** `kernel/drivers/misc/pvpanic/pvpanic-mmio.ko.xz` is the module `pvpanic_mmio`. */
const moduleName = (file: string): string =>
  path
    .basename(file)
    .replace(/\.ko(\.\w+)?$/, '')
    .replaceAll('-', '_');
