import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openAssembly, type Assembly } from '../../../test/support/assembly.ts';
import { turnedJpeg } from '../test/turned-jpeg.ts';
import { bootBareGuest, type BareGuest } from '../test/bare-guest.ts';
import { assembleOcrDisk } from './ocr-disk.ts';
import { ocrService } from './ocr-service.ts';
import { textPicture } from './text-picture.ts';

describe('the OCR guest', () => {
  let assembly: Assembly;
  let guest: BareGuest;

  const post = async (body: Uint8Array): Promise<{ status: number; type: string | null; answer: unknown }> => {
    const response = await fetch(`${guest.httpOrigin}/ocr`, { method: 'POST', body: Buffer.from(body) });
    return { status: response.status, type: response.headers.get('content-type'), answer: await response.json() };
  };

  beforeAll(async () => {
    assembly = await openAssembly();
    const { diskPath } = await assembleOcrDisk(assembly.context);
    const { workDirectory: directory } = assembly.context;
    guest = await bootBareGuest({ diskPath, memoryMib: ocrService.spec.memory.minimumMib, directory, closed: true });
  });
  afterAll(async () => {
    await guest?.[Symbol.asyncDispose]();
    await assembly?.[Symbol.asyncDispose]();
  });

  test('reads a PNG picture', async () => {
    const { status, type, answer } = await post(textPicture(['THE CLOUDLET READS', 'PICTURE 2026 - 4711']));
    expect({ status, type }).toEqual({ status: 200, type: 'application/json' });
    expect(answer).toEqual({ text: 'THE CLOUDLET READS\nPICTURE 2026 - 4711', ms: expect.any(Number) });
  });

  test('reads a JPEG that a phone took on its side', async () => {
    const { answer } = await post(turnedJpeg);
    expect(answer).toEqual({ text: 'TURNED 7', ms: expect.any(Number) });
  });

  test.each([
    ['something else than a picture', () => Buffer.from('GIF89a'), 415, /neither PNG nor JPEG/],
    ['a damaged picture', () => textPicture(['TORN']).subarray(0, 600), 422, /damaged/],
    ['more than 20 MiB', () => Buffer.alloc(20 * 2 ** 20 + 1), 413, /larger than 20 MiB/],
  ])('refuses %s', async (_, body, status, sentence) => {
    expect(await post(body())).toEqual({ status, type: 'application/json', answer: { error: expect.stringMatching(sentence) } });
  });

  test('refuses a picture with more pixels than it has memory for, before decoding it', async () => {
    const huge = Buffer.from(textPicture(['HUGE']));
    huge.writeUInt32BE(30_000, 16);
    huge.writeUInt32BE(30_000, 20);
    expect(await post(huge)).toMatchObject({ status: 413, answer: { error: expect.stringMatching(/30000 x 30000 pixels/) } });
  });

  test('drops a picture that nobody waits for any more', async () => {
    const page = Array.from({ length: 12 }, () => 'A LONG PAGE OF TEXT, TEDIOUS TO READ');
    const impatient = fetch(`${guest.httpOrigin}/ocr`, {
      method: 'POST',
      body: Buffer.from(textPicture(page)),
      signal: AbortSignal.timeout(1500),
    });
    await expect(impatient).rejects.toThrow(/timeout/);
    await expect.poll(() => guest.serialLog(), { timeout: 15_000 }).toContain('refused: 499');
  });

  test('serves a page that needs nothing from elsewhere', async () => {
    const page = await (await fetch(guest.httpOrigin)).text();
    expect(page).toContain('capture="environment"');
    expect(page).not.toMatch(/(src|href)="(https?:)?\/\//);
  });
});
