import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hashSources } from './hash-sources.ts';

let checkout: string;

const write = (path: string, content: string): void => {
  mkdirSync(dirname(join(checkout, path)), { recursive: true });
  writeFileSync(join(checkout, path), content);
};

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'hash-sources-'));
  write('package-lock.json', '{}');
  write('manager/app/page.tsx', 'page');
  write('workflows/contract/units.ts', 'units');
});
afterEach(() => rmSync(checkout, { recursive: true }));

describe('hashSources', () => {
  it.each([
    ['a page changes', 'manager/app/page.tsx'],
    ['a page is added', 'manager/app/other/page.tsx'],
    ['the contract changes', 'workflows/contract/units.ts'],
    ['a package changes', 'package-lock.json'],
  ])('is another one when %s', async (_what, path) => {
    const before = await hashSources(checkout);
    expect(before).toMatch(/^[0-9a-f]{16}$/);
    write(path, 'new');
    expect(await hashSources(checkout)).not.toBe(before);
  });

  it.each(['manager/.next/server/page.js', 'manager/dist/0/server.js', 'manager/next-env.d.ts', 'manager/lib/a.test.ts', 'api/server.ts'])(
    'stays the same when %s changes',
    async (path) => {
      const before = await hashSources(checkout);
      write(path, 'new');
      expect(await hashSources(checkout)).toBe(before);
    },
  );

  it('is not taken in by contents that move between files', async () => {
    const before = await hashSources(checkout);
    write('manager/app/page.tsx', 'units');
    write('workflows/contract/units.ts', 'page');
    expect(await hashSources(checkout)).not.toBe(before);
  });
});
