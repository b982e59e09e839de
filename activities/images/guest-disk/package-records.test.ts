import { expect, test } from 'vitest';
import { parsePackageRecords } from './package-records.ts';

test('reads what is needed of each downloadable package', () => {
  const stanzas = `Package: libacl1
Version: 2.3.1-3
Description-en: access control list - shared library
 Size: not this one
Filename: pool/main/a/acl/libacl1_2.3.1-3_amd64.deb
Size: 31488
SHA256: 00ff

Package: local-only
Version: 1
Status: install ok installed
`;
  expect(parsePackageRecords(stanzas)).toEqual([
    { name: 'libacl1', version: '2.3.1-3', fileName: 'libacl1_2.3.1-3_amd64.deb', sizeBytes: 31_488, sha256: '00ff' },
  ]);
});
