import { expect, test } from 'vitest';
import { masterBootRecord } from './partition-table.ts';

const boot = { type: 0x0e, active: true, firstSector: 2048, sectorCount: 0x8000 };
const root = { type: 0x83, active: false, firstSector: 0x8800, sectorCount: 0x1_0000 };

test('lays out boot code, signature and entries as the IBM PC has them', () => {
  const record = Buffer.from(masterBootRecord(Uint8Array.of(0xfa, 0x31), 0xc10d_1e70, [boot, root]));
  expect(record).toHaveLength(512);
  expect(record.subarray(0, 4).toString('hex')).toBe('fa310000');
  expect(record.subarray(440, 446).toString('hex')).toBe('701e0dc10000');
  expect(record.subarray(446, 462).toString('hex')).toBe('80feffff0efeffff0008000000800000');
  expect(record.subarray(462, 478).toString('hex')).toBe('00feffff83feffff0088000000000100');
  expect(record.subarray(478, 510).every((byte) => byte === 0)).toBe(true);
  expect(record.subarray(510).toString('hex')).toBe('55aa');
});

test('refuses what does not fit', () => {
  expect(() => masterBootRecord(new Uint8Array(441), 0, [])).toThrow(/441 bytes is longer than 440/);
  expect(() => masterBootRecord(new Uint8Array(), 0, [boot, root, root, root, root])).toThrow(/5 partitions/);
});
