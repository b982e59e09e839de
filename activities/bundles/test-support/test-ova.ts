import { createHash, randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool } from '../../run-tool.ts';
import type { TarMember } from '../../../test/support/tar-archive.ts';

/** Of a machine with two processors, 768 MiB and two disks. */
export const testOvf = (disk: string): string => `<?xml version="1.0"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData">
  <References><File ovf:href="${disk}" ovf:id="file1"/><File ovf:href="second.vmdk" ovf:id="file2"/></References>
  <DiskSection><Disk ovf:capacity="1048576" ovf:diskId="vmdisk1" ovf:fileRef="file1"/><Disk ovf:diskId="vmdisk2" ovf:fileRef="file2"/></DiskSection>
  <VirtualSystem ovf:id="My appliance"><Name>My appliance</Name><VirtualHardwareSection>
    <Item><rasd:InstanceID>1</rasd:InstanceID><rasd:ResourceType>3</rasd:ResourceType><rasd:VirtualQuantity>2</rasd:VirtualQuantity></Item>
    <Item><rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits><rasd:InstanceID>2</rasd:InstanceID><rasd:ResourceType>4</rasd:ResourceType><rasd:VirtualQuantity>768</rasd:VirtualQuantity></Item>
    <Item><rasd:HostResource>ovf:/disk/vmdisk1</rasd:HostResource><rasd:InstanceID>3</rasd:InstanceID><rasd:ResourceType>17</rasd:ResourceType></Item>
  </VirtualHardwareSection></VirtualSystem>
</Envelope>`;

/**
 * What an OVA of it holds: the OVF, a manifest, and the first disk, which is an empty one.
 * @param folder where the disk may lie for a moment
 */
export async function ovaMembers(folder: string): Promise<TarMember[]> {
  const disk = join(folder, `${randomUUID()}.vmdk`);
  await runTool('qemu-img', ['create', '-q', '-f', 'vmdk', '-o', 'subformat=streamOptimized', disk, '1M']);
  const bytes = await readFile(disk);
  await rm(disk);
  return [
    { name: 'a.ovf', content: testOvf('first.vmdk') },
    { name: 'a.mf', content: `SHA256(first.vmdk)= ${createHash('sha256').update(bytes).digest('hex')}\n` },
    { name: 'first.vmdk', content: bytes },
  ];
}
