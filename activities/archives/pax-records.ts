import type { ArchiveFaults } from './archive-faults.ts';

/** What an extended (pax) header says of the next entry, by key. */
export type PaxRecords = ReadonlyMap<string, Buffer>;

/**
 * Records `length key=value\n`, where the length counts itself.
 * @throws CloudletError when they are not that
 */
export function parsePax(body: Buffer, { unprocessable }: ArchiveFaults): PaxRecords {
  const records = new Map<string, Buffer>();
  for (let at = 0; at < body.length;) {
    const space = body.indexOf(0x20, at);
    const length = space === -1 ? Number.NaN : Number(body.toString('latin1', at, space));
    const record = body.subarray(space + 1, at + length - 1);
    const equals = record.indexOf(0x3d);
    if (!Number.isInteger(length) || at + length > body.length || body[at + length - 1] !== 0x0a || equals < 1) {
      throw unprocessable('an extended header in it is damaged');
    }
    records.set(record.toString('latin1', 0, equals), record.subarray(equals + 1));
    at += length;
  }
  return records;
}

/** A comment, as git writes it, says nothing about files; whatever else would change all of them. */
export function refuseGlobal(records: PaxRecords, { unprocessable }: ArchiveFaults): void {
  const [other] = [...records.keys()].filter((key) => key !== 'comment');
  if (other !== undefined) throw unprocessable(`it has a global header "${other}", which changes every file of it`);
}
