import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { zipOf, type ZipEntry } from '../../test/support/zip-archive.ts';
import { bytesPerMib } from '../../workflows/contract/units.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { inspectApp } from './inspect-app.ts';
import { openArchive } from './open-archive.ts';
import { readBinaryXml } from './read-binary-xml.ts';
import { ResourceTable } from './resource-table.ts';

const realApk = join(dirname(createRequire(import.meta.url).resolve('io.appium.settings/package.json')), 'apks', 'settings_apk-debug.apk');

let folder: string;
let manifest: Buffer;
let resources: Buffer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cloudlet-apk-'));
  await using archive = await openArchive(realApk);
  manifest = (await archive.read('AndroidManifest.xml', bytesPerMib))!;
  resources = (await archive.read('resources.arsc', 4 * bytesPerMib))!;
});
afterAll(() => rm(folder, { recursive: true }));

const inspect = async (bytes: Buffer, fileName = 'app.apk') => {
  const path = join(folder, 'file');
  await writeFile(path, bytes);
  return inspectApp(path, fileName);
};
const signed: readonly ZipEntry[] = [
  { name: 'META-INF/CERT.SF', bytes: Buffer.from('x') },
  { name: 'META-INF/CERT.RSA', bytes: Buffer.from('x') },
];
const refusal = (reason: RegExp) => ({ code: 'unprocessable-app', message: expect.stringMatching(reason) });

describe('a real APK', () => {
  it('says what it is', async () => {
    const { icon, ...facts } = await inspectApp(realApk, 'settings.apk');
    expect(facts).toEqual({
      contentType: 'application/vnd.android.package-archive',
      versionCode: 192,
      said: { name: 'Appium Settings', packageName: 'io.appium.settings', appVersion: '8.0.10', minAndroidVersion: '8.0' },
    });
    // The sharpest of six: 192 × 192 pixels.
    expect([icon?.contentType, icon?.bytes.readUInt32BE(16), icon?.bytes.readUInt32BE(20)]).toEqual(['image/png', 192, 192]);
  });

  it('is refused when its end is missing', async () => {
    const bytes = await readFile(realApk);
    await expect(inspect(bytes.subarray(0, bytes.length / 2))).rejects.toMatchObject(refusal(/not all of one/));
  });

  it('is refused when its signing block was cut out', async () => {
    const bytes = await readFile(realApk);
    await expect(
      inspect(Buffer.from(bytes.toString('latin1').replace('APK Sig Block 42', 'APK Sig Block 43'), 'latin1')),
    ).rejects.toMatchObject(refusal(/not signed/));
  });

  it('is refused with a manifest of other bytes', async () => {
    const spoilt = Buffer.from(manifest);
    spoilt.writeUInt32LE(0xffff_fff0, 12);
    await expect(inspect(zipOf([{ name: 'AndroidManifest.xml', bytes: spoilt }, ...signed]))).rejects.toMatchObject(
      refusal(/manifest cannot be read/),
    );
  });

  it('is taken with its manifest alone, and says less', async () => {
    const { said, icon } = await inspect(zipOf([{ name: 'AndroidManifest.xml', bytes: manifest }, ...signed]));
    expect([said.name, said.packageName, icon]).toEqual(['io.appium.settings', 'io.appium.settings', null]);
  });
});

describe('what is called an APK', () => {
  it.each<[string, () => Buffer, RegExp]>([
    ['is something else', () => Buffer.from('#!/bin/sh\n'), /no ZIP archive/],
    ['is empty', () => Buffer.alloc(0), /no ZIP archive/],
    ['has no manifest', () => zipOf([{ name: 'a', bytes: Buffer.from('a') }]), /no AndroidManifest.xml/],
    [
      'has a manifest of text',
      () => zipOf([{ name: 'AndroidManifest.xml', bytes: Buffer.from('<manifest package="a.b"/>') }, ...signed]),
      /manifest cannot be read/,
    ],
    ['is not signed', () => zipOf([{ name: 'AndroidManifest.xml', bytes: manifest }]), /not signed/],
    [
      'leads out of its folder',
      () => zipOf([{ name: '../../etc/cron.d/x', bytes: Buffer.from('x') }]),
      /directory is damaged.*invalid relative path/,
    ],
    ['has absolute names', () => zipOf([{ name: '/etc/cron.d/x', bytes: Buffer.from('x') }]), /absolute path/],
    [
      'has a name twice',
      () =>
        zipOf([
          { name: 'a', bytes: Buffer.from('a') },
          { name: 'a', bytes: Buffer.from('b') },
        ]),
      /"a" twice/,
    ],
    ['is a bomb by ratio', () => zipOf([{ name: 'zeros', bytes: Buffer.alloc(128 * bytesPerMib) }]), /unpacks to more than/],
    [
      'is a bomb by what it claims',
      () => zipOf([{ name: 'a', bytes: Buffer.from('a'), claimedBytes: 0xffff_fff0 }]),
      /unpacks to more than/,
    ],
    [
      'has entries over each other',
      () =>
        zipOf(
          Array.from({ length: 50 }, (_, index) => ({
            name: `copy-${index}`,
            bytes: Buffer.alloc(1000, 1),
            stored: true,
            sharesFirst: index > 0,
          })),
        ),
      /lie over each other/,
    ],
    [
      'has a manifest that unpacks to more than it says',
      () => zipOf([{ name: 'AndroidManifest.xml', bytes: Buffer.alloc(bytesPerMib), claimedBytes: 10 }, ...signed]),
      /cannot be unpacked/,
    ],
    [
      'has a huge manifest',
      () => zipOf([{ name: 'AndroidManifest.xml', bytes: Buffer.alloc(5 * bytesPerMib) }, ...signed]),
      /is larger than 4.0 MiB/,
    ],
    [
      'ends within a compressed entry',
      () => zipOf([{ name: 'AndroidManifest.xml', bytes: manifest, packed: deflateRawSync(manifest).subarray(0, 100) }, ...signed]),
      /cannot be unpacked/,
    ],
  ])('and %s is refused with the reason', async (_name, make, reason) => {
    await expect(inspect(make())).rejects.toMatchObject(refusal(reason));
  });
});

it.each<[string, Buffer, string]>([
  ['client.bin', Buffer.from('any bytes'), 'application/octet-stream'],
  ['client.zip', zipOf([{ name: 'a', bytes: Buffer.from('a') }]), 'application/zip'],
])('takes another file as it is: %s', async (name, bytes, contentType) => {
  expect(await inspect(bytes, name)).toEqual({ contentType, versionCode: null, icon: null, said: {} });
});

it('looks through an archive whatever it is called', async () => {
  await expect(inspect(zipOf([{ name: '../x', bytes: Buffer.from('x') }]), 'client.zip')).rejects.toMatchObject(
    refusal(/invalid relative path/),
  );
});

/** Bytes changed here and there, as a fuzzer would. */
const spoilt = (bytes: Buffer) =>
  fc
    .array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 20 })
    .map((changes) => changes.reduce((copy, [at, value]) => copy.fill(value, at, at + 1), Buffer.from(bytes)));

describe('a spoilt manifest or table', () => {
  it('is read or refused, and never hangs', () => {
    fc.assert(
      fc.property(spoilt(manifest), (bytes) => {
        expectEndsOrThrows(() => [...readBinaryXml(bytes)].length);
      }),
      { numRuns: 150 },
    );
    fc.assert(
      fc.property(spoilt(resources.subarray(0, 40_000)), fc.constantFrom(0x7f08_0000, 0x7f04_0015), (bytes, id) => {
        expectEndsOrThrows(() => new ResourceTable(bytes).valuesOf(id).length);
      }),
      { numRuns: 100 },
    );
  });

  it('is refused whole, in the words of the catalogue', async () => {
    await fc.assert(
      fc.asyncProperty(spoilt(manifest), async (bytes) => {
        const told: unknown = await inspect(
          zipOf([{ name: 'AndroidManifest.xml', bytes }, { name: 'resources.arsc', bytes: resources }, ...signed]),
        ).catch((error: unknown) => error);
        expect(told instanceof CloudletError ? told.code : 'unprocessable-app').toBe('unprocessable-app');
      }),
      { numRuns: 40 },
    );
  });
});

function expectEndsOrThrows(work: () => number): void {
  const begin = performance.now();
  let thrown: unknown;
  try {
    work();
  } catch (error) {
    thrown = error;
  }
  expect(thrown ?? new Error()).toBeInstanceOf(Error);
  expect(performance.now() - begin).toBeLessThan(2_000);
}
