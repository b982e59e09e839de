import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where each thing lies in the data directory. */
export interface DataDir {
  readonly root: string;
  /** Locks and what the parts remember about themselves. */
  readonly run: string;
  readonly logs: string;
  readonly logOf: (part: string) => string;
  readonly bin: string;
  readonly postgres: string;
  readonly temporal: string;
  readonly dbus: string;
  readonly avahi: string;
  readonly libvirt: string;
}

/** @param root absolute path */
export function dataDirLayout(root: string): DataDir {
  const logs = join(root, 'logs');
  return {
    root,
    run: join(root, 'run'),
    logs,
    logOf: (part) => join(logs, `${part}.log`),
    bin: join(root, 'bin'),
    postgres: join(root, 'postgres'),
    temporal: join(root, 'temporal'),
    dbus: join(root, 'dbus'),
    avahi: join(root, 'avahi'),
    libvirt: join(root, 'libvirt'),
  };
}

/**
 * Makes the data directory. Others may pass through it, since QEMU runs as a user of its own; what is private is closed
 * one level below.
 */
export function prepareDataDir(root: string): DataDir {
  const layout = dataDirLayout(root);
  mkdirSync(root, { recursive: true });
  chmodSync(root, 0o711);
  for (const directory of [layout.run, layout.logs]) mkdirSync(directory, { recursive: true, mode: 0o700 });
  return layout;
}
