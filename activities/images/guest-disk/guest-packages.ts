import type { AssembleContext } from '../../../workflows/contract/catalogue.ts';
import { kernelPackage } from './boot-disk.ts';
import { debianPackages, type DebianPackage } from './debian-packages.ts';

/** What packages need only to be installed, removed or logged in to, which never happens in a guest. */
const omittedPackages = [
  'adduser',
  'debconf',
  'dpkg',
  'fontconfig-config',
  'init-system-helpers',
  'initramfs-tools',
  'inetutils-syslogd',
  'kmod',
  'libdb5.3',
  'libncursesw6',
  'libnsl2',
  'libreadline8',
  'libsqlite3-0',
  'linux-base',
  'lsb-base',
  'media-types',
  'netbase',
  'perl',
  'systemd',
  'sysvinit-utils',
  'tcpd',
  'ucf',
  'update-inetd',
];

/**
 * Debian's cloud kernel, busybox and the named packages, with all that they depend on in a guest.
 * @throws CloudletError when the package lists are missing or stale, or the download fails
 */
export const guestPackages = (names: readonly string[], context: AssembleContext): Promise<readonly DebianPackage[]> =>
  debianPackages({ roots: [kernelPackage, 'busybox-static', ...names], omitted: omittedPackages }, context);
