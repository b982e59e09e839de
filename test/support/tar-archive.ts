/** Writes tar archives, hostile ones too: nothing of what it is told is checked. */
export interface TarMember {
  readonly name: string;
  /** Type flag; `0` file (default), `1` hard link, `2` symbolic link, `3` device, `5` directory, … */
  readonly type?: string;
  readonly content?: string | Uint8Array;
  readonly linkName?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtimeSeconds?: number;
  /** What the header says of its size; that of the content by default. */
  readonly sizeBytes?: number;
  /** Records of an extended header before it. */
  readonly pax?: Readonly<Record<string, string | Uint8Array>>;
}

const blockBytes = 512;

/** The blocks that an archive ends with. */
export const endOfArchive = Buffer.alloc(2 * blockBytes);

export const tarArchive = (members: readonly TarMember[]): Buffer => Buffer.concat([...members.map(tarMember), endOfArchive]);

/** A member alone: its header, what describes it before that, and its content. */
export function tarMember(member: TarMember): Buffer {
  const content = Buffer.from(member.content ?? '');
  const isLong = Buffer.byteLength(member.name) > 100;
  const pax = { ...(isLong ? { path: member.name } : {}), ...member.pax };
  const extended = Object.keys(pax).length === 0 ? [] : [tarMember({ name: 'PaxHeaders', type: 'x', content: paxRecords(pax) })];
  const padding = Buffer.alloc(-content.length & (blockBytes - 1));
  return Buffer.concat([...extended, header(member, member.sizeBytes ?? content.length), content, padding]);
}

function header(member: TarMember, sizeBytes: number): Buffer {
  const { name, type = '0', linkName = '', uid = 0, gid = 0, mtimeSeconds = 1_700_000_000 } = member;
  const block = Buffer.alloc(blockBytes);
  const octal = (value: number, length: number): string => `${value.toString(8).padStart(length - 1, '0')}\0`;
  const write = (text: string, at: number, length: number): void => void Buffer.from(text).copy(block, at, 0, length);
  write(name, 0, 100);
  write(octal(member.mode ?? (type === '5' ? 0o755 : 0o644), 8), 100, 8);
  write(octal(uid, 8), 108, 8);
  write(octal(gid, 8), 116, 8);
  if (sizeBytes < 8 ** 11) write(octal(sizeBytes, 12), 124, 12);
  else block.writeBigUInt64BE(BigInt(sizeBytes), block.writeUInt32BE(0x80_00_00_00, 124));
  write(octal(mtimeSeconds, 12), 136, 12);
  write('        ', 148, 8);
  write(type, 156, 1);
  write(linkName, 157, 100);
  write('ustar\x0000', 257, 8);
  const sum = block.reduce((total, byte) => total + byte, 0);
  write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8);
  return block;
}

function paxRecords(records: Readonly<Record<string, string | Uint8Array>>): Buffer {
  return Buffer.concat(
    Object.entries(records).map(([key, value]) => {
      const body = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
      let length = body.length;
      while (length !== body.length + `${length}`.length) length = body.length + `${length}`.length;
      return Buffer.concat([Buffer.from(`${length}`), body]);
    }),
  );
}
