import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { baseRoot } from '../guest-disk/base-root.ts';
import type { CpioEntry } from '../guest-disk/cpio-archive.ts';
import { guestAgentPath } from '../guest-disk/guest-agent/compile-guest-agent.ts';
import type { ContainerProcess } from './container-process.ts';
import { unprocessable } from './refusals.ts';

/** Linux takes 2 MiB of arguments and environment together. */
const maximumWordsBytes = 2 ** 20;

/** What the first file system of a guest holds to run one image's program: the scripts of `initramfs/` and their settings. */
export async function containerInit(
  process: ContainerProcess,
  hostname: string,
  guestAgent: Uint8Array,
): Promise<{ readonly init: Uint8Array; readonly extraEntries: readonly CpioEntry[] }> {
  const script = (name: string): Promise<Buffer> => readFile(path.join(import.meta.dirname, 'initramfs', name));
  const directories = ['service', 'etc', 'etc/acpi', 'etc/acpi/PWRF', 'etc/cloudlet'].map(
    (name) => ({ kind: 'directory', path: name }) as const,
  );
  const file = (name: string, content: Uint8Array) => ({ kind: 'file', path: name, content, executable: true }) as const;
  return {
    init: await script('init'),
    extraEntries: [
      ...directories,
      file('service/settings', latin1(settings(process, hostname))),
      file('service/enter', latin1(enterScript(process))),
      file('service/udhcpc', await script('udhcpc')),
      file('etc/acpi/PWRF/00000080', await script('power-button')),
      file('etc/guest-agent.sh', await readFile(path.join(baseRoot, 'etc/guest-agent.sh'))),
      file('etc/cloudlet/refresh', await script('refresh')),
      file(guestAgentPath.slice(1), guestAgent),
    ],
  };
}

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

const settings = ({ uid, stopSignal }: ContainerProcess, hostname: string): string =>
  [`service_hostname=${quoted(hostname)}`, `service_uid=${uid}`, `service_stop_signal=${quoted(stopSignal)}`, ''].join('\n');

/**
 * Runs as process 1 of the new pid namespace. The number that it has outside of it is what a signal is sent to, and
 * `/proc` outside of it is what tells.
 */
export function enterScript({ command, environment, directory, uid, gid }: ContainerProcess): string {
  const words = [...environment, ...command].reduce((sum, word) => sum + word.length + 1, 0);
  if (words > maximumWordsBytes) throw unprocessable(`its command and environment have ${words} bytes together`);
  const enter = ['/bin/busybox', 'nsenter', '--root=/root', `--wd=/root${directory}`, '-S', `${uid}`, '-G', `${gid}`];
  return [
    '#!/bin/busybox sh',
    'read -r pid _ </proc/self/stat',
    'echo "$pid" >/service.pid',
    'busybox mount -t proc proc /root/proc',
    'ulimit -n 65536',
    `exec busybox env -i ${[...environment, ...enter, ...command].map(quoted).join(' ')}`,
    '',
  ].join('\n');
}

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
