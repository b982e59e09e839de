/** Writes `PROCEDURES.md`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { proceduresMarkdown } from './procedures-markdown.ts';

writeFileSync(join(import.meta.dirname, '../PROCEDURES.md'), proceduresMarkdown());
