import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cloneXml, domainXml, netdevArgument, readOwner, readVncPort, type DomainIdentity, type DomainSpec } from './domain-xml.ts';

const spec: DomainSpec = {
  name: 'cloudlet-1',
  bootId: '11111111-1111-4111-8111-111111111111',
  cloudletId: 'cccccccc-cccc-4ccc-8ccc-cccccccccccc',
  serviceVmId: '22222222-2222-4222-8222-222222222222',
  diskPath: '/data/instances/2/disk.qcow2',
  serialLogPath: '/data/logs/2.log',
  network: {
    ports: [
      { name: 'http', protocol: 'tcp', guestPort: 8080, hostPort: 20_001 },
      { name: 'echo', protocol: 'udp', guestPort: 7, hostPort: 20_002 },
    ],
  },
  accelerator: 'tcg',
  memoryMib: 512,
  vcpus: 2,
};

const golden = `<domain type="qemu" xmlns:qemu="http://libvirt.org/schemas/domain/qemu/1.0">
  <name>cloudlet-1</name>
  <uuid>11111111-1111-4111-8111-111111111111</uuid>
  <metadata><cloudlet:instance xmlns:cloudlet="urn:cloudlet:service-vm:1" cloudlet="cccccccc-cccc-4ccc-8ccc-cccccccccccc" id="22222222-2222-4222-8222-222222222222"/></metadata>
  <memory unit="MiB">512</memory>
  <vcpu>2</vcpu>
  <os><type arch="x86_64" machine="q35">hvm</type><boot dev="hd"/></os>
  <features><acpi/></features>
  <cpu mode="maximum"/>
  <genid/>
  <clock offset="utc"/>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type="file" device="disk">
      <driver name="qemu" type="qcow2" discard="unmap"/>
      <source file="/data/instances/2/disk.qcow2"/>
      <target dev="vda" bus="virtio"/>
    </disk>
    <serial type="pty"><log append="on" file="/data/logs/2.log"/><target port="0"/></serial>
    <channel type="unix"><target type="virtio" name="org.qemu.guest_agent.0"/></channel>
    <controller type="usb" model="none"/>
    <memballoon model="none"/>
    <panic model="isa"/>
    <rng model="virtio"><backend model="random">/dev/urandom</backend></rng>
  </devices>
  <qemu:commandline>
    <qemu:arg value="-netdev"/>
    <qemu:arg value="user,id=guest0,ipv6=off,restrict=on,hostfwd=tcp:0.0.0.0:20001-:8080,hostfwd=udp:0.0.0.0:20002-:7"/>
    <qemu:arg value="-device"/>
    <qemu:arg value="virtio-net-pci,netdev=guest0,addr=0x10"/>
  </qemu:commandline>
</domain>`;

/** What libvirt keeps of a saved guest: much that we never wrote. */
const savedXml = `<domain type='qemu' id='7' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>cloudlet-old</name>
  <uuid>99999999-9999-4999-8999-999999999999</uuid>
  <metadata>
    <cloudlet:instance xmlns:cloudlet="urn:cloudlet:service-vm:1" cloudlet="old" id="older"/>
    <other:note xmlns:other="urn:somebody">kept &amp; untouched</other:note>
  </metadata>
  <memory unit='KiB'>524288</memory>
  <currentMemory unit='KiB'>524288</currentMemory>
  <vcpu placement='static'>2</vcpu>
  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>
  <cpu mode='custom' match='exact' check='full'><model fallback='forbid'>max</model></cpu>
  <devices>
    <disk type='file' device='disk'>
      <source file='/old/disk.qcow2' index='1'/>
      <backingStore/>
      <alias name='virtio-disk0'/>
      <address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>
    </disk>
    <serial type='pty'><source path='/dev/pts/3'/><log file='/old/serial.log' append='on'/><target type='isa-serial' port='0'/></serial>
    <console type='pty' tty='/dev/pts/3'><log file='/old/serial.log' append='on'/></console>
  </devices>
  <seclabel type='static' model='dac' relabel='no'><label>+2000020001:+2000020001</label></seclabel>
  <qemu:commandline>
    <qemu:arg value='-netdev'/>
    <qemu:arg value='user,id=guest0,ipv6=off,restrict=off,hostfwd=tcp:0.0.0.0:20009-:8080'/>
    <qemu:arg value='-device'/>
    <qemu:arg value='virtio-net-pci,netdev=guest0,addr=0x10'/>
  </qemu:commandline>
</domain>`;

describe('domainXml', () => {
  it('is this, for a guest without a way out', () => {
    expect(domainXml(spec).trim()).toBe(golden);
  });

  it('uses the hardware where there is KVM', () => {
    const xml = domainXml({ ...spec, accelerator: 'kvm' });
    expect(xml).toContain('<domain type="kvm"');
    expect(xml).toContain('<cpu mode="host-passthrough"/>');
  });

  it('runs QEMU of a guest that may reach out under a uid of its own', () => {
    const xml = domainXml({ ...spec, network: { ...spec.network, filteredUid: 2_000_020_001 } });
    expect(xml).toContain('restrict=off');
    expect(xml).toContain('<seclabel type="static" model="dac" relabel="no"><label>+2000020001:+2000020001</label></seclabel>');
  });

  it('says whose it is, in a form that is read back', () => {
    expect(readOwner(domainXml(spec))).toEqual({ cloudletId: spec.cloudletId, serviceVmId: spec.serviceVmId, bootId: spec.bootId });
  });

  it('has a screen on the loopback alone where somebody is to look at it', () => {
    const xml = domainXml({ ...spec, screen: true });
    expect(xml).toContain('<graphics type="vnc" autoport="yes" listen="127.0.0.1"/>');
    expect(readVncPort(xml.replace('autoport="yes"', 'port="5901" autoport="yes"'))).toBe(5901);
    expect(readVncPort(golden)).toBeUndefined();
  });

  it('sees a recipe as its second disk, which it cannot write to', () => {
    const xml = domainXml({ ...spec, payloadPath: '/data/a & b/recipe.tar' });
    expect(xml).toContain('<channel type="unix"><target type="virtio" name="org.qemu.guest_agent.0"/></channel>');
    expect(xml).toContain('<source file="/data/instances/2/disk.qcow2"/>');
    expect(xml).toMatch(/<source file="\/data\/a &amp; b\/recipe.tar"\/>\s*<target dev="vdb" bus="virtio"\/>\s*<readonly\/>/);
  });

  it('keeps any text apart from its markup', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '<', '>', '&', '"', "'", ' ', '/', 'é', '€', '\t'), minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(text, text, text, (cloudletId, serviceVmId, diskPath) => {
        const owner = readOwner(domainXml({ ...spec, cloudletId, serviceVmId, diskPath }));
        expect(owner).toMatchObject({ cloudletId, serviceVmId });
      }),
    );
  });
});

describe('cloneXml', () => {
  const clone: DomainIdentity = { ...spec, name: 'cloudlet-new' };
  /** The XML with everything that may differ between clones taken out. */
  const withoutIdentity = (xml: string): string =>
    xml
      .replace(/<name>.*<\/name>/, '')
      .replace(/<uuid>.*<\/uuid>/, '')
      .replace(/<cloudlet:instance[^>]*>/, '')
      .replace(/(<source) file=["'][^"']*["']/, '$1')
      .replaceAll(/(<log)( append="on")? file="[^"]*"( append="on")?/g, '$1')
      .replace(/\s*<seclabel[\s\S]*<\/seclabel>/, '')
      .replace(/<qemu:arg value=["']user,id=guest0[^>]*>/, '')
      .replaceAll(/>\s+</g, '><');
  const canonical = (xml: string): string => xml.replaceAll("'", '"');

  it('has no screen that an editing VM had, but its display adapter', () => {
    const edited = cloneXml(domainXml({ ...spec, screen: true }), clone);
    expect(edited).not.toContain('graphics');
    expect(edited).toContain('<video><model type="vga"/></video>');
  });

  it('changes who it is and nothing of what the guest sees', () => {
    const cloned = cloneXml(savedXml, clone);
    expect(withoutIdentity(canonical(cloned))).toBe(withoutIdentity(canonical(savedXml)));
    expect(readOwner(cloned)).toEqual({ cloudletId: spec.cloudletId, serviceVmId: spec.serviceVmId, bootId: spec.bootId });
    expect(cloned).toContain('<name>cloudlet-new</name>');
    expect(cloned).toContain('file="/data/instances/2/disk.qcow2" index="1"');
    expect(cloned.match(/file="\/data\/logs\/2\.log"/g)).toHaveLength(2);
    expect(cloned).toContain(netdevArgument(clone.network));
    for (const old of ['cloudlet-old', '99999999', '/old/', '20009', 'restrict=off', 'seclabel']) expect(cloned).not.toContain(old);
  });

  it('has a disk that grows no more than it may, whatever the one had that was saved', () => {
    const limited = canonical(cloneXml(savedXml, { ...clone, diskLimitBytes: 1_048_576 }));
    expect(limited).toMatch(/<source [^>]*><slices><slice type="storage" offset="0" size="1048576"\/><\/slices><\/source>/);
    expect(canonical(domainXml({ ...spec, diskLimitBytes: 1_048_576 }))).toMatch(/<driver [^>]*error_policy="report"/);
    const again = canonical(cloneXml(limited, { ...clone, diskLimitBytes: 2_097_152 }));
    expect(again.match(/<slice /g)).toHaveLength(1);
    expect(again).toContain('size="2097152"');
    expect(canonical(cloneXml(limited, clone))).toBe(canonical(cloneXml(savedXml, clone)));
  });

  it('is the same when it is made twice, or of a clone', () => {
    const once = cloneXml(savedXml, clone);
    expect(cloneXml(savedXml, clone)).toBe(once);
    expect(cloneXml(once, clone)).toBe(once);
  });

  it.each([
    ['no name', savedXml.replace(/<name>.*<\/name>/, ''), 'has 0 of <name>'],
    ['two disks', savedXml.replace('<serial ', "<disk><source file='/x'/></disk><serial "), 'has 2 of <devices/disk/source>'],
    ['no network of ours', savedXml.replace('user,id=guest0', 'tap,id=guest0'), 'no guest network'],
    ['no owner', savedXml.replaceAll('cloudlet:instance', 'cloudlet:other'), 'has 0 of <metadata/instance>'],
  ])('refuses a saved guest with %s', (_, xml, message) => {
    expect(() => cloneXml(xml, clone)).toThrow(message);
  });

  it.each(['', ' ', 'not xml', '<domain', '\0'])('refuses %j', (xml) => {
    expect(() => cloneXml(xml, clone)).toThrow(/^The domain XML cannot be read: /);
  });
});

describe('readOwner', () => {
  it.each([
    ['has no metadata', '<domain><uuid>u</uuid></domain>'],
    [
      'says so in a namespace of somebody else',
      '<domain><uuid>u</uuid><metadata><instance xmlns="urn:other" cloudlet="c" id="i"/></metadata></domain>',
    ],
    [
      'leaves the instance out',
      '<domain><uuid>u</uuid><metadata><instance xmlns="urn:cloudlet:service-vm:1" cloudlet="c"/></metadata></domain>',
    ],
  ])('finds none where the domain %s', (_, xml) => {
    expect(readOwner(xml)).toBeUndefined();
  });
});
