import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assembleEchoDisk } from '../../plugins/sample-services/echo/echo-disk.ts';
import { checkoutDir } from '../../temporal/config/load-config.ts';
import { cachedDisk } from './cached-disk.ts';

const echo = join(checkoutDir, 'plugins', 'sample-services', 'echo');

const program = (lines: readonly string[]): string =>
  ['#!/bin/sh', 'printf "Content-Type: text/plain\\r\\n\\r\\n"', ...lines, ''].join('\n');

/** The guest's web server is nobody in particular; this one may crash the kernel, and does when it is asked to. */
const inittab = readFileSync(join(echo, 'root', 'etc', 'inittab'), 'utf8');

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

/**
 * The echo guest, with a program at `/cgi/reach?host:port` that tells what the guest reaches on its own, one at
 * `/cgi/crash` that crashes its kernel, and others.
 * @returns path of a qcow2 that nobody may write to
 */
export const echoDisk = (): Promise<string> =>
  cachedDisk({
    name: 'echo',
    sources: echo,
    extra: JSON.stringify(extraFiles),
    assemble: (context) => assembleEchoDisk(context, { extraFiles }),
  });
