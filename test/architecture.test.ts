import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

/**
 * Which folder may import which: the architecture in one table. The longest matching folder decides. Composition roots
 * alone wire everything together, and are not held by it; tests may reach for anything.
 */
const mayImport: Readonly<Record<string, { readonly folders: readonly string[]; readonly packages?: readonly string[] }>> = {
  'workflows/contract': { folders: ['workflows/contract'], packages: ['typebox'] },
  workflows: { folders: ['workflows', 'workflows/contract'], packages: ['@temporalio/workflow'] },
  'activities/node-libvirt': { folders: ['activities/node-libvirt'], packages: [] },
  'activities/images/guest-disk': { folders: ['activities/images/guest-disk', 'workflows/contract'] },
  activities: { folders: ['activities', 'activities/images/guest-disk', 'workflows/contract'] },
  'plugins/runtime': { folders: ['plugins/runtime', 'workflows/contract'] },
  plugins: { folders: ['plugins/runtime', 'activities/images/guest-disk', 'workflows/contract'] },
  api: {
    folders: [
      'api',
      'activities/apps',
      'activities/store',
      'activities/uploads',
      'plugins/runtime',
      'temporal/client',
      'workflows/contract',
    ],
  },
  manager: { folders: ['manager', 'workflows/contract'] },
  'temporal/config': { folders: ['temporal/config', 'workflows/contract'] },
  'temporal/supervisor': { folders: ['temporal/supervisor', 'temporal/config', 'workflows/contract'] },
  'temporal/local': { folders: ['temporal/local', 'temporal/config', 'temporal/supervisor', 'activities/network', 'workflows/contract'] },
  'temporal/client': { folders: ['temporal/client', 'temporal/local', 'activities/store', 'activities/hypervisor', 'workflows/contract'] },
  'temporal/cli': { folders: ['temporal/cli', 'temporal/config', 'workflows/contract'] },
};

const compositionRoots = [
  'api/server.ts',
  'temporal/worker.ts',
  'temporal/main.ts',
  'temporal/manager-part.ts',
  'temporal/own-parts.ts',
  'temporal/running-config.ts',
  'temporal/log.ts',
];
const compositionFolders = ['temporal/commands/', 'temporal/worker/'];

/** Hands its environment on to Debian's tools, and reads nothing of it. */
const handsEnvironmentOn = 'activities/images/guest-disk/run-tool.ts';

const isSource = (path: string): boolean =>
  /\.(ts|tsx)$/.test(path) &&
  !/\.test\.tsx?$|\/test-support\/|\/test\/|^test\/|\.d\.ts$|config\.ts$|\/scripts\//.test(path) &&
  !compositionRoots.includes(path) &&
  !compositionFolders.some((folder) => path.startsWith(folder));

const sources = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' })
  .split('\n')
  .filter(isSource);

/** The most specific folder of the table that holds a path. */
const folderOf = (path: string, folders: readonly string[] = Object.keys(mayImport)): string | undefined =>
  folders.filter((folder) => path.startsWith(`${folder}/`)).toSorted((a, b) => b.length - a.length)[0];

function importsOf(path: string): { readonly specifier: string; readonly typeOnly: boolean }[] {
  const text = readFileSync(path, 'utf8');
  const statements = text.matchAll(/^(?:import|export)\s+(type\s+)?[^'"]*?from\s+'([^']+)'/gm);
  return [...statements].map(([, type, specifier]) => ({ specifier: specifier!, typeOnly: type !== undefined }));
}

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

/** Sentences about what a file imports and should not. */
function trespasses(path: string): string[] {
  const home = folderOf(path);
  if (home === undefined) return [];
  const { folders, packages } = mayImport[home]!;
  const ownPlugin = /^plugins\/[^/]+/.exec(path)?.[0];
  return importsOf(path).flatMap(({ specifier, typeOnly }) => {
    if (specifier.startsWith('.')) {
      const target = normalize(join(dirname(path), specifier));
      const known = [
        ...Object.keys(mayImport),
        'activities/apps',
        'activities/store',
        'activities/uploads',
        'activities/hypervisor',
        'activities/network',
      ];
      const folder = folderOf(target, known) ?? target;
      const allowed = folders.some((name) => folder === name || (folder.startsWith(`${name}/`) && !Object.hasOwn(mayImport, folder)));
      return allowed || (ownPlugin && target.startsWith(`${ownPlugin}/`)) ? [] : [`${path} imports ${target}`];
    }
    if (specifier.startsWith('node:')) return home === 'workflows' || home === 'workflows/contract' ? [`${path} imports ${specifier}`] : [];
    if (packages === undefined || packages.includes(packageOf(specifier)) || typeOnly) return [];
    return [`${path} imports ${specifier}`];
  });
}

describe('the architecture', () => {
  it('has sources to look at', () => {
    expect(sources.length).toBeGreaterThan(100);
  });

  it('lets imports go one way', () => {
    expect(sources.flatMap(trespasses)).toEqual([]);
  });

  it('reads the environment in one place', () => {
    const readers = sources.filter(
      (path) => /process\.env\b/.test(readFileSync(path, 'utf8')) && !/^temporal\/config\/|^manager\//.test(path),
    );
    expect(readers).toEqual([handsEnvironmentOn]);
  });

  it('names each file after what it holds, in kebab-case', () => {
    const unusual = sources.filter((path) => !path.startsWith('manager/app/') && !/(^|\/)[a-z0-9]+(-[a-z0-9]+)*\.tsx?$/.test(path));
    expect(unusual.filter((path) => !/migrations\//.test(path))).toEqual([]);
  });
});
