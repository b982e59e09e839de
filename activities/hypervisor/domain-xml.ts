import { DOMParser, onErrorStopParsing, XMLSerializer, type Document, type Element } from '@xmldom/xmldom';
import { domainMetadataNamespace } from '../../workflows/contract/ids.ts';
import type { Accelerator } from '../../workflows/contract/cloudlet.ts';
import type { PortMapping } from '../../workflows/contract/service-vm.ts';

/** What makes a domain this instance's, and differs between clones of one saved state. */
export interface DomainIdentity {
  /** Domain name; says which instance it is. */
  readonly name: string;
  /** Domain UUID: of this boot, so that every boot of an instance is another domain. */
  readonly bootId: string;
  readonly cloudletId: string;
  readonly serviceVmId: string;
  readonly diskPath: string;
  /** How large the disk's file may become; it has that size already, as a hole. */
  readonly diskLimitBytes?: number | undefined;
  readonly serialLogPath: string;
  readonly network: GuestNetwork;
}

/** What a new guest is made of, as far as libvirt is concerned. */
export interface DomainSpec extends DomainIdentity {
  readonly accelerator: Accelerator;
  readonly memoryMib: number;
  readonly vcpus: number;
  /** Whether an admin can look at its screen, by VNC on the host's loopback. */
  readonly screen?: boolean;
  /** An archive that the guest sees as its second disk. */
  readonly payloadPath?: string;
}

export interface GuestNetwork {
  readonly ports: readonly PortMapping[];
  /** uid that QEMU runs under so that the host filters what the guest sends; absent = its network is closed by QEMU itself. */
  readonly filteredUid?: number | undefined;
}

const qemuNamespace = 'http://libvirt.org/schemas/domain/qemu/1.0';
export const machineType = 'q35';

/** CPU that guests see. Saved states and migrations depend on it. */
export const cpuModes: Readonly<Record<Accelerator, string>> = { tcg: 'maximum', kvm: 'host-passthrough' };

/** The slot is fixed, so that a guest finds its network card where it was when its state was saved. */
const networkDevice = 'virtio-net-pci,netdev=guest0,addr=0x10';

/**
 * The user-mode network of a guest: nothing between the host's ports and the guest's but QEMU itself. `restrict=on`
 * closes every other way: without it a guest reaches whatever listens on the host's loopback.
 */
export function netdevArgument({ ports, filteredUid }: GuestNetwork): string {
  const forwards = ports.map(({ protocol, hostPort, guestPort }) => `hostfwd=${protocol}:0.0.0.0:${hostPort}-:${guestPort}`);
  return ['user', 'id=guest0', 'ipv6=off', `restrict=${filteredUid === undefined ? 'on' : 'off'}`, ...forwards].join(',');
}

/** A new, transient domain (https://libvirt.org/formatdomain.html); `fill` says what differs from one to the next. */
const template = `
<domain type='qemu' xmlns:qemu='${qemuNamespace}'>
  <name/>
  <uuid/>
  <metadata><cloudlet:instance xmlns:cloudlet='${domainMetadataNamespace}'/></metadata>
  <memory unit='MiB'/>
  <vcpu/>
  <os><type arch='x86_64' machine='${machineType}'>hvm</type><boot dev='hd'/></os>
  <features><acpi/></features>
  <cpu mode='maximum'/>
  <genid/>
  <clock offset='utc'/>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2' discard='unmap'/>
      <source/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <serial type='pty'><log append='on'/><target port='0'/></serial>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
    <panic model='isa'/>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
  </devices>
  <qemu:commandline>
    <qemu:arg value='-netdev'/>
    <qemu:arg value='user,id=guest0'/>
    <qemu:arg value='-device'/>
    <qemu:arg value='${networkDevice}'/>
  </qemu:commandline>
</domain>`;

/** libvirt finds a port that is free. */
const screen = `
    <graphics type='vnc' autoport='yes' listen='127.0.0.1'/>
    <video><model type='vga'/></video>`;

const payload = `
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source/>
      <target dev='vdb' bus='virtio'/>
      <readonly/>
    </disk>`;

export function domainXml(spec: DomainSpec): string {
  const document = parse(spec.screen ? template.replace('\n  </devices>', `${screen}\n  </devices>`) : template);
  const domain = rootOf(document);
  domain.setAttribute('type', spec.accelerator === 'kvm' ? 'kvm' : 'qemu');
  only(domain, ['memory']).textContent = String(spec.memoryMib);
  only(domain, ['vcpu']).textContent = String(spec.vcpus);
  only(domain, ['cpu']).setAttribute('mode', cpuModes[spec.accelerator]);
  fill(document, spec);
  if (spec.payloadPath !== undefined) {
    const disk = document.importNode(rootOf(parse(payload.trim())), true);
    only(disk, ['source']).setAttribute('file', spec.payloadPath);
    only(domain, ['devices']).appendChild(disk);
  }
  return serialize(document);
}

/**
 * The XML of a saved guest made into that of a clone: another name, UUID, owner, disk, log and network, and nothing
 * else, since everything that the guest sees must stay as it was when its state was saved.
 */
export function cloneXml(savedXml: string, clone: DomainIdentity): string {
  const document = parse(savedXml);
  // Nobody looks at a clone of what was edited. The guest keeps its display adapter, and does not notice.
  for (const shown of descend(rootOf(document), ['devices', 'graphics'])) shown.parentNode!.removeChild(shown);
  fill(document, clone);
  return serialize(document);
}

/** Writes into a domain what makes it this instance's. */
function fill(document: Document, identity: DomainIdentity): void {
  const domain = rootOf(document);
  only(domain, ['name']).textContent = identity.name;
  only(domain, ['uuid']).textContent = identity.bootId;
  const owner = only(domain, ['metadata', 'instance']);
  owner.setAttribute('cloudlet', identity.cloudletId);
  owner.setAttribute('id', identity.serviceVmId);
  only(domain, ['devices', 'disk', 'source']).setAttribute('file', identity.diskPath);
  limitDisk(document, identity.diskLimitBytes);
  for (const log of [...descend(domain, ['devices', 'serial', 'log']), ...descend(domain, ['devices', 'console', 'log'])]) {
    log.setAttribute('file', identity.serialLogPath);
  }
  // Its socket is another one in every domain; libvirt finds it a place.
  for (const source of descend(domain, ['devices', 'channel', 'source'])) source.parentNode?.removeChild(source);
  netdevOf(domain).setAttribute('value', netdevArgument(identity.network));
  label(document, identity.network.filteredUid);
}

/** QEMU uses no more of the disk's file than this slice of it; a guest that needs more is told of an error and lives on. */
function limitDisk(document: Document, limitBytes: number | undefined): void {
  const domain = rootOf(document);
  const source = only(domain, ['devices', 'disk', 'source']);
  for (const old of descend(source, ['slices'])) source.removeChild(old);
  for (const driver of descend(domain, ['devices', 'disk', 'driver'])) {
    if (limitBytes === undefined) driver.removeAttribute('error_policy');
    else driver.setAttribute('error_policy', 'report');
  }
  if (limitBytes === undefined) return;
  const slice = document.createElement('slice');
  for (const [name, value] of Object.entries({ type: 'storage', offset: '0', size: String(limitBytes) })) slice.setAttribute(name, value);
  const slices = document.createElement('slices');
  slices.appendChild(slice);
  source.appendChild(slices);
}

/**
 * QEMU of a filtered guest runs under a uid of its own; everybody else's runs as the host is set up. The disk
 * is given to that uid by us: libvirt would give away the images below it, too, which all instances share.
 */
function label(document: Document, filteredUid: number | undefined): void {
  const domain = rootOf(document);
  for (const old of descend(domain, ['seclabel'])) domain.removeChild(old);
  if (filteredUid === undefined) return;
  const seclabel = document.createElement('seclabel');
  for (const [name, value] of Object.entries({ type: 'static', model: 'dac', relabel: 'no' })) seclabel.setAttribute(name, value);
  const text = document.createElement('label');
  text.textContent = `+${filteredUid}:+${filteredUid}`;
  seclabel.appendChild(text);
  domain.appendChild(seclabel);
}

/** Whose domain this is, read from its XML. */
export interface DomainOwner {
  readonly cloudletId: string;
  readonly serviceVmId: string;
  readonly bootId: string;
}

/** @returns undefined where the domain is not one of a cloudlet */
export function readOwner(xml: string): DomainOwner | undefined {
  const domain = rootOf(parse(xml));
  const [instance] = descend(domain, ['metadata', 'instance']).filter((element) => element.namespaceURI === domainMetadataNamespace);
  const cloudletId = instance?.getAttribute('cloudlet');
  const serviceVmId = instance?.getAttribute('id');
  const bootId = descend(domain, ['uuid'])[0]?.textContent;
  return cloudletId && serviceVmId && bootId ? { cloudletId, serviceVmId, bootId } : undefined;
}

/** Where the screen of a running domain is, on the host's loopback. @returns undefined where it has none */
export function readVncPort(xml: string): number | undefined {
  const [graphics] = descend(rootOf(parse(xml)), ['devices', 'graphics']);
  return graphics && Number(graphics.getAttribute('port'));
}

const parser = new DOMParser({ onError: onErrorStopParsing });

function parse(xml: string): Document {
  try {
    return parser.parseFromString(xml, 'text/xml');
  } catch (error) {
    throw new Error(`The domain XML cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

const serialize = (document: Document): string => new XMLSerializer().serializeToString(document);

function rootOf(document: Document): Element {
  if (!document.documentElement) throw new Error('The domain XML is empty');
  return document.documentElement;
}

/** Elements at the end of a path of local names. */
function descend(root: Element, path: readonly string[]): Element[] {
  let found = [root];
  for (const name of path) {
    found = found.flatMap((element) =>
      [...element.childNodes].filter((node): node is Element => node.nodeType === 1 && (node as Element).localName === name),
    );
  }
  return found;
}

function only(root: Element, path: readonly string[]): Element {
  const found = descend(root, path);
  if (found.length !== 1) throw new Error(`The domain XML has ${found.length} of <${path.join('/')}> where one is expected`);
  return found[0]!;
}

function netdevOf(domain: Element): Element {
  const argument = descend(domain, ['commandline', 'arg']).find((arg) => arg.getAttribute('value')?.startsWith('user,id=guest0'));
  if (!argument) throw new Error('The domain XML has no guest network of a cloudlet');
  return argument;
}
