/** Makes `dist/`, a package of plain JavaScript and declarations that `npm publish ./dist` takes as it is. */
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');

/** What the published package says of itself: the source's words, and its own way in. */
function manifest(): object {
  const source = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, unknown>;
  const { name, version, description, license, keywords, type } = source;
  return {
    name,
    version,
    description,
    license,
    keywords,
    type,
    exports: { types: './index.d.ts', default: './index.js' },
    engines: { node: '>=22' },
    sideEffects: false,
  };
}

rmSync(dist, { recursive: true, force: true });
execFileSync('tsc', ['-p', join(root, 'tsconfig.build.json')], { stdio: 'inherit' });
writeFileSync(join(dist, 'package.json'), `${JSON.stringify(manifest(), null, 2)}\n`);
for (const file of ['README.md', 'PROCEDURES.md']) cpSync(join(root, file), join(dist, file));
cpSync(join(root, '../../LICENSE'), join(dist, 'LICENSE'));
