/** Debian's tools that assemble a guest disk on this host, and the package that ships each. */
export const packageOfTool = {
  'apt-cache': 'apt',
  'apt-get': 'apt',
  dpkg: 'dpkg',
  depmod: 'kmod',
  'mkfs.fat': 'dosfstools',
  mcopy: 'mtools',
  syslinux: 'syslinux',
  mke2fs: 'e2fsprogs',
  debugfs: 'e2fsprogs',
  'qemu-img': 'qemu-utils',
  tcc: 'tcc',
} as const;

export type HostTool = keyof typeof packageOfTool;

/** The boot code that SeaBIOS runs; package `syslinux-common`. */
export const bootCodePath = '/usr/lib/syslinux/mbr/mbr.bin';

/** What must be installed on the host before a disk is assembled. */
export const requiredHostPackages: readonly string[] = [...new Set([...Object.values(packageOfTool), 'syslinux-common'])].toSorted();
