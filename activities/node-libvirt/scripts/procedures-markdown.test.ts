import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { proceduresMarkdown } from './procedures-markdown.ts';

it('PROCEDURES.md is up to date (npm run docs)', () => {
  expect(readFileSync(join(import.meta.dirname, '../PROCEDURES.md'), 'utf8')).toBe(proceduresMarkdown());
});
