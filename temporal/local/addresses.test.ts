import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { maxDataDirBytes } from '../config/settings.ts';
import { dataDirLayout } from './data-dir.ts';
import { libvirtFiles } from './libvirt-files.ts';
import { dbusAddress, dbusSocketDir, dbusSocketName } from './start-dbus.ts';
import { libvirtUri } from './start-libvirt.ts';

/** unix(7): the path of a socket and its closing zero fit in 108 bytes. */
const maxSocketPathBytes = 107;

describe('addresses of sockets', () => {
  it('say paths that mean something in them', () => {
    expect(dbusAddress("/a b/c'd,e=f;g")).toBe('unix:path=/a%20b/c%27d%2Ce%3Df%3Bg');
    expect(libvirtUri('/a b/c&d?e#f')).toBe('qemu+unix:///system?socket=/a%20b/c%26d%3Fe%23f');
    expect(new URL(libvirtUri('/a b/ü')).searchParams.get('socket')).toBe('/a b/ü');
  });

  it('fit below the longest data directory that the configuration allows', () => {
    const dataDir = dataDirLayout(`/${'x'.repeat(maxDataDirBytes - 1)}`);
    const sockets = [
      libvirtFiles(dataDir.libvirt).socket,
      join(dbusSocketDir(dataDir.dbus), dbusSocketName),
      join(dataDir.postgres, '.s.PGSQL.65535'),
    ];
    for (const socket of sockets) expect(Buffer.byteLength(socket)).toBeLessThanOrEqual(maxSocketPathBytes);
  });
});
