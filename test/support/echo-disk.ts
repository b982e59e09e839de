import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, glob, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assembleEchoDisk } from '../../plugins/sample-services/echo/echo-disk.ts';
import { checkoutDir } from '../../temporal/config/load-config.ts';

const samples = join(checkoutDir, 'plugins', 'sample-services');
const sourceFolders = [join(samples, 'echo'), join(checkoutDir, 'activities', 'images', 'guest-disk')];
const cache = join(checkoutDir, '.cloudlet', 'cache');

/**
 * The echo guest, with a program at `/cgi/reach?host:port` that tells what the guest reaches on its own, and one at
 * `/cgi/crash` that crashes its kernel. Assembled once for all test runs, until a source of it changes.
 * @returns path of a qcow2 that nobody may write to
 */
export async function echoDisk(): Promise<string> {
  const path = join(cache, `test-echo-${await fingerprint()}.qcow2`);
  if (existsSync(path)) return path;
  const workDirectory = await mkdtemp(join(tmpdir(), 'cloudlet-echo-'));
  try {
    await mkdir(cache, { recursive: true });
    const nothing = () => undefined;
    const { diskPath } = await assembleEchoDisk(
      {
        workDirectory,
        cacheDirectory: cache,
        signal: new AbortController().signal,
        log: { info: nothing, warn: nothing, error: nothing },
        progress: nothing,
      },
      { extraFiles },
    );
    await copyFile(diskPath, `${path}.${process.pid}`);
    await rename(`${path}.${process.pid}`, path);
    return path;
  } finally {
    await rm(workDirectory, { recursive: true, force: true });
  }
}

const program = (lines: readonly string[]): string =>
  ['#!/bin/sh', 'printf "Content-Type: text/plain\\r\\n\\r\\n"', ...lines, ''].join('\n');

/** The guest's web server is nobody in particular; this one may crash the kernel, and does when it is asked to. */
const inittab = readFileSync(join(samples, 'echo', 'root', 'etc', 'inittab'), 'utf8');

const extraFiles = [
  {
    path: '/srv/cgi/reach',
    executable: true,
    content: program([
      'host=${QUERY_STRING%:*}; port=${QUERY_STRING##*:}',
      'if echo | nc -w 3 "$host" "$port" >/dev/null 2>&1; then echo reached; else echo unreachable; fi',
    ]),
  },
  { path: '/srv/cgi/crash', executable: true, content: program(['echo crashing', 'touch /tmp/crash']) },
  { path: '/srv/cgi/poweroff', executable: true, content: program(['echo stopping', 'touch /tmp/poweroff']) },
  // What an admin would do by SSH: its body stands at /installed afterwards, on the disk.
  { path: '/srv/cgi/install', executable: true, content: program(['cat >/tmp/install && mv /tmp/install /tmp/installed']) },
  {
    path: '/srv/obey',
    executable: true,
    content: [
      '#!/bin/sh',
      'while sleep 0.1; do',
      '  [ -e /tmp/crash ] && echo c >/proc/sysrq-trigger',
      '  [ -e /tmp/poweroff ] && poweroff',
      '  [ -e /tmp/installed ] && mount -o remount,rw / && mv /tmp/installed /srv/www/installed && mount -o remount,ro /',
      'done',
      '',
    ].join('\n'),
  },
  { path: '/etc/inittab', content: `${inittab}::respawn:/srv/obey\n` },
];

async function fingerprint(): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(extraFiles));
  const sources: string[] = [];
  for (const folder of sourceFolders) {
    for await (const entry of glob('**/*', { cwd: folder, withFileTypes: true })) {
      if (entry.isFile() && !entry.name.endsWith('.test.ts')) sources.push(join(entry.parentPath, entry.name));
    }
  }
  for (const source of sources.toSorted()) hash.update(source.slice(checkoutDir.length)).update(await readFile(source));
  return hash.digest('hex').slice(0, 16);
}
