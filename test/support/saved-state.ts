/** A guest's saved state as libvirt writes it, as far as its XML. */
export function savedState(xml: string): Buffer {
  const area = Buffer.from(`${xml}\0`);
  const header = Buffer.alloc(92);
  header.write('LibvirtQemudSave', 'latin1');
  [2, area.length, 1, 0, 0].forEach((value, index) => header.writeUInt32LE(value, 16 + 4 * index));
  return Buffer.concat([header, area]);
}
