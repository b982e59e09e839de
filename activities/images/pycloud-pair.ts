import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DOMParser, onErrorStopParsing } from '@xmldom/xmldom';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { ImageMachine } from '../../workflows/contract/image-settings.ts';
import { bytesPerMib } from '../../workflows/contract/units.ts';
import { parseSaveImageHeader, readSavedXml, saveImageHeaderBytes } from '../hypervisor/save-image.ts';

/** An image as pycloud keeps it: a disk, and the memory of a guest that ran from it, as libvirt saved it. */
export interface PycloudPair {
  readonly diskPath: string;
  readonly statePath: string;
}

const diskEnding = '.qcow2';
const stateEnding = '.lqs';

/**
 * The one pair in a folder: `name.qcow2` and `name.qcow2.lqs`, or `name.lqs`. Other files in it do not matter.
 * @throws CloudletError `not-found` where there is no such folder, `invalid-input` where it holds no pair, or several
 */
export async function findPair(folder: string): Promise<PycloudPair> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new CloudletError(
      'not-found',
      `The folder ${folder} of this host cannot be read (${error.code}). Put it into the import folder.`,
    );
  });
  const files = new Set(entries.filter((entry) => entry.isFile()).map(({ name }) => name));
  const pairs = [...files].toSorted().flatMap((disk) => {
    if (!disk.endsWith(diskEnding)) return [];
    const states = [disk + stateEnding, disk.slice(0, -diskEnding.length) + stateEnding].filter((state) => files.has(state));
    return states.map((state) => ({ disk, state }));
  });
  const [pair, another] = pairs;
  if (!pair) {
    throw new CloudletError(
      'invalid-input',
      `The folder holds no disk with its saved state (name${diskEnding} and name${diskEnding}${stateEnding}).`,
    );
  }
  if (another) {
    const names = pairs.map(({ disk, state }) => `${disk} with ${state}`).join(', ');
    throw new CloudletError('invalid-input', `The folder holds several pairs: ${names}. Leave the one that is meant.`);
  }
  return { diskPath: join(folder, pair.disk), statePath: join(folder, pair.state) };
}

/** What the saved state of a pair is good for. */
export interface PairState {
  /** Of the machine that was saved. */
  readonly machine: ImageMachine;
  /** Why it is not restored, for people. */
  readonly note: string;
}

/**
 * Reads what a saved state says of its machine. It is never restored: it does not say which QEMU made it, and one that was
 * made by another may be refused, or worse, may not.
 */
export async function readPairState({ statePath }: PycloudPair): Promise<PairState> {
  const leftOut = (why: string): string => `The saved state of the pair was left out: ${why}.`;
  const file = await open(statePath);
  try {
    if ((await file.stat()).size === 0) return { machine: {}, note: leftOut('it is empty') };
    const { buffer: header, bytesRead } = await file.read(Buffer.alloc(saveImageHeaderBytes), 0, saveImageHeaderBytes, 0);
    const parsed = parseSaveImageHeader(header.subarray(0, bytesRead));
    const { buffer: area } = await file.read(Buffer.alloc(parsed.areaBytes), 0, parsed.areaBytes, saveImageHeaderBytes);
    const { machineType, ...machine } = readMachine(readSavedXml(parsed, area));
    return { machine, note: leftOut(`it is that of a machine "${machineType}", and does not say which QEMU made it`) };
  } catch (error) {
    return { machine: {}, note: leftOut(`it cannot be read (${(error as Error).message.slice(0, 200)})`) };
  } finally {
    await file.close();
  }
}

/** In the units that libvirt writes, and those that people do. */
const bytesPerUnit: Readonly<Record<string, number>> = { b: 1, bytes: 1, KiB: 2 ** 10, MiB: bytesPerMib, GiB: 2 ** 30 };
const most = { memoryMib: 1024 * 1024, vcpus: 64 };
const leastMemoryMib = 32;

function readMachine(xml: string): ImageMachine & { readonly machineType: string } {
  const domain = new DOMParser({ onError: onErrorStopParsing }).parseFromString(xml, 'text/xml').documentElement!;
  const first = (name: string) => domain.getElementsByTagName(name)[0];
  const memory = first('memory');
  const memoryMib = (Number(memory?.textContent) * (bytesPerUnit[memory?.getAttribute('unit') ?? 'KiB'] ?? Number.NaN)) / bytesPerMib;
  const vcpus = Number(first('vcpu')?.textContent);
  return {
    machineType: (first('type')?.getAttribute('machine') ?? 'unknown').slice(0, 80),
    ...(Number.isInteger(memoryMib) && memoryMib >= leastMemoryMib && memoryMib <= most.memoryMib
      ? { memory: { minimumMib: memoryMib, idealMib: memoryMib } }
      : {}),
    ...(Number.isInteger(vcpus) && vcpus >= 1 && vcpus <= most.vcpus ? { vcpus } : {}),
  };
}
