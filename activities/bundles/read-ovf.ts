import { DOMParser, onErrorStopParsing, type Document, type Element } from '@xmldom/xmldom';
import { serviceIdPattern } from '../../workflows/contract/service.ts';
import { refuse } from './refuse.ts';

/** What a virtual machine of an OVA is made of, as far as a service needs it (DMTF DSP0243). */
export interface OvfMachine {
  /** A name that a service can have; undefined where it says none that would do. */
  readonly serviceId: string | undefined;
  readonly description: string;
  readonly memoryMib: number | undefined;
  readonly vcpus: number | undefined;
  /** Name of the archive's member that is the first disk. */
  readonly diskName: string;
}

/** @throws CloudletError `unprocessable-bundle` */
export function readOvf(bytes: Buffer): OvfMachine {
  try {
    const root = parse(bytes);
    const [system, another] = elements(root, 'VirtualSystem');
    if (!system || another) throw refuse('its OVF must describe just one virtual machine');
    return {
      serviceId: serviceIdOf(textOf(system, 'Name') ?? attribute(system, 'id') ?? ''),
      description: (textOf(system, 'Annotation') ?? textOf(system, 'Info') ?? '').slice(0, 1000),
      memoryMib: quantity(system, resourceTypes.memory, mibOf),
      vcpus: quantity(system, resourceTypes.processor, (count) => count),
      diskName: diskNameOf(root, system),
    };
  } catch (error) {
    // Nesting without end, among others.
    throw error instanceof RangeError ? refuse('its OVF cannot be read', error) : error;
  }
}

function parse(bytes: Buffer): Element {
  const text = bytes.toString('utf8');
  if (/<!(DOCTYPE|ENTITY)/i.test(text)) throw refuse('its OVF declares entities, which no OVF needs');
  let document: Document;
  try {
    document = new DOMParser({ onError: onErrorStopParsing }).parseFromString(text, 'text/xml');
  } catch (error) {
    throw refuse('its OVF is not XML', error);
  }
  if (document.documentElement?.localName !== 'Envelope') throw refuse('its OVF is none');
  return document.documentElement;
}

/** CIM_ResourceAllocationSettingData.ResourceType */
const resourceTypes = { processor: '3', memory: '4', disk: '17' } as const;

const elements = (parent: Element, name: string): Element[] => [...parent.getElementsByTagNameNS('*', name)];
const textOf = (parent: Element, name: string): string | undefined => elements(parent, name)[0]?.textContent?.trim() || undefined;
const attribute = (element: Element, name: string): string | undefined =>
  [...element.attributes].find((candidate) => candidate.localName === name)?.value;

const items = (system: Element, type: string): Element[] =>
  [...elements(system, 'Item'), ...elements(system, 'StorageItem')].filter((item) => textOf(item, 'ResourceType') === type);

function quantity(system: Element, type: string, toUnit: (count: number, units: string) => number): number | undefined {
  const [item] = items(system, type);
  const count = Number(item && textOf(item, 'VirtualQuantity'));
  if (!item || !Number.isSafeInteger(count) || count <= 0) return undefined;
  return toUnit(count, textOf(item, 'AllocationUnits') ?? '');
}

/** `byte * 2^20` as the standard writes it since 1.0, `MegaBytes` as before. */
function mibOf(count: number, units: string): number {
  const power = Number(/^byte\s*\*\s*2\^(\d{1,2})$/.exec(units.trim())?.[1] ?? (/giga|^gb$/i.test(units) ? 30 : 20));
  return Math.round(count * 2 ** (power - 20));
}

function serviceIdOf(name: string): string | undefined {
  const id = name
    .trim()
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[._-]+/, '')
    .slice(0, 128);
  return new RegExp(serviceIdPattern).test(id) ? id : undefined;
}

/** The first disk that the machine names, else the first that is described. */
function diskNameOf(root: Element, system: Element): string {
  const named = items(system, resourceTypes.disk)
    .map((item) => /\/disk\/(.+)$/.exec(textOf(item, 'HostResource') ?? '')?.[1])
    .find((id) => id !== undefined);
  const disks = elements(root, 'Disk');
  const disk = disks.find((candidate) => named !== undefined && attribute(candidate, 'diskId') === named) ?? disks[0];
  const fileId = disk && attribute(disk, 'fileRef');
  const file = elements(root, 'File').find((candidate) => fileId !== undefined && attribute(candidate, 'id') === fileId);
  const href = file && attribute(file, 'href');
  if (!file || href === undefined) throw refuse('its OVF names no disk that lies in it');
  if (/[/\\:]/.test(href)) throw refuse(`its OVF names the disk "${href.slice(0, 80)}", which lies elsewhere`);
  if ((attribute(file, 'compression') ?? 'identity') !== 'identity' || attribute(file, 'chunkSize') !== undefined) {
    throw refuse('its disk is compressed or cut into pieces by the OVF; export it again without');
  }
  return href;
}
