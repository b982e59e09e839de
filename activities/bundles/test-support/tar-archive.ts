import { Header, Pax, type HeaderData } from 'tar';

/** A member as a test wants it, right or wrong. */
export interface TestMember {
  readonly name: string;
  readonly body?: Buffer | string;
  readonly type?: HeaderData['type'];
  /** What the header says where that is not the truth. */
  readonly sizeBytes?: number;
  readonly linkpath?: string;
  readonly pax?: HeaderData;
}

const blockBytes = 512;
export const endOfArchive = Buffer.alloc(2 * blockBytes);

export function tarMember({ name, body = '', type = 'File', sizeBytes, linkpath, pax }: TestMember): Buffer {
  const bytes = Buffer.from(body);
  const header = new Header({
    path: name,
    size: sizeBytes ?? bytes.length,
    type,
    mode: 0o644,
    mtime: new Date(0),
    ...(linkpath ? { linkpath } : {}),
  });
  header.encode();
  const padding = Buffer.alloc((blockBytes - (bytes.length % blockBytes)) % blockBytes);
  return Buffer.concat([...(pax ? [new Pax(pax).encode()] : []), header.block!, bytes, padding]);
}

export const tarArchive = (members: readonly TestMember[]): Buffer => Buffer.concat([...members.map(tarMember), endOfArchive]);
