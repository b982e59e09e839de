import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { damageOf } from './verify-image.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'verify-'));
  writeFileSync(join(folder, 'image'), 'content');
});
afterAll(() => rmSync(folder, { recursive: true }));

const sha256 = createHash('sha256').update('content').digest('hex');
const look = (name: string, expected: { sha256: string; sizeBytes: number }) => damageOf(join(folder, name), expected);

describe('a file of the image store', () => {
  it('is as its name says', async () => expect(await look('image', { sha256, sizeBytes: 7 })).toBeNull());
  it('is told when it has another content', async () =>
    expect(await look('image', { sha256: 'f'.repeat(64), sizeBytes: 7 })).toBe('its content has changed'));
  it('is told when it has another size', async () =>
    expect(await look('image', { sha256, sizeBytes: 8 })).toBe('it has 7 B instead of 8 B'));
  it('is told when it is gone', async () => expect(await look('none', { sha256, sizeBytes: 7 })).toBe('it is gone'));
  it('is not called damaged because nobody may read it', async () => {
    await expect(look('', { sha256, sizeBytes: 7 })).rejects.toThrow('EISDIR');
  });
  it('is not called damaged because reading it was cut short', async () => {
    const cut = new AbortController();
    cut.abort();
    await expect(damageOf(join(folder, 'image'), { sha256, sizeBytes: 7 }, cut.signal)).rejects.toThrow('aborted');
  });
});
