import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { asRoot } from './as-root.mjs';
import { failure, Refusal, run, step } from './step.mjs';

/** What each purpose needs beyond a minimal Debian. */
export const packageGroups = {
  start: [
    'qemu-system-x86 qemu-utils libvirt-daemon-system libvirt-daemon-driver-qemu libvirt-clients',
    'avahi-daemon avahi-utils dbus dnsmasq-base iproute2 nftables tini util-linux',
    'busybox-static cpio kmod zstd mtools dosfstools e2fsprogs syslinux syslinux-common',
    'python3-pip unzip ca-certificates',
    'pigz lbzip2 xz-utils',
  ],
  test: ['chromium fonts-dejavu-core bzip2'],
};

const oldestDebian = 12;
const lockTimeoutSeconds = 600;

function readOsRelease() {
  try {
    const lines = readFileSync('/etc/os-release', 'utf8').split('\n');
    return Object.fromEntries(
      lines
        .map((line) => /^(\w+)="?([^"]*)"?$/.exec(line))
        .filter(Boolean)
        .map(([, name, value]) => [name, value]),
    );
  } catch {
    return {};
  }
}

/** @returns {string | undefined} why packages cannot be installed here */
function obstacle() {
  const { ID, ID_LIKE = '', VERSION_ID, PRETTY_NAME = process.platform } = readOsRelease();
  if (ID === 'debian') {
    // Testing and unstable have no version.
    return VERSION_ID === undefined || Number(VERSION_ID) >= oldestDebian
      ? undefined
      : `${PRETTY_NAME} is too old: it takes Debian ${oldestDebian} or newer.`;
  }
  return ID_LIKE.split(' ').includes('debian') ? undefined : `${PRETTY_NAME} is no Debian: its packages cannot be installed for you.`;
}

/** @param {readonly string[]} names */
function missingPackages(names) {
  const { stdout } = spawnSync('dpkg-query', ['--show', '--showformat=${Package} ${db:Status-Status}\n', ...names], { encoding: 'utf8' });
  const installed = new Set(
    (stdout ?? '')
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  );
  return names.filter((name) => !installed.has(name));
}

/**
 * Where systemd runs, packages start their services as on any Debian; where nothing does, Debian's own `invoke-rc.d`
 * starts none.
 *
 * @param {string[]} args
 */
function aptGet(args) {
  const environment = { DEBIAN_FRONTEND: 'noninteractive', APT_LISTCHANGES_FRONTEND: 'none', NEEDRESTART_SUSPEND: '1' };
  const assignments = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  return run(asRoot(['env', ...assignments, 'apt-get', '--quiet', '--yes', '-o', `DPkg::Lock::Timeout=${lockTimeoutSeconds}`, ...args]));
}

/**
 * Installs what is missing of the named groups; asks nobody and nothing where nothing is.
 *
 * @param {readonly string[]} groups
 */
export async function ensureDebianPackages(groups) {
  const unknown = groups.filter((group) => !(group in packageGroups));
  if (unknown.length > 0)
    throw new Refusal(`There is no group of packages ${unknown.join(', ')}; there are ${Object.keys(packageGroups).join(', ')}.`);
  const names = groups.flatMap((group) => packageGroups[group]).flatMap((line) => line.split(' '));
  const reason = obstacle();
  if (reason !== undefined) {
    throw new Refusal(
      `${reason}\nInstall what these Debian packages hold, then run this again with --skip-packages:\n    ${names.join(' ')}`,
    );
  }
  const missing = missingPackages(names);
  if (missing.length === 0) return;
  await step('Debian package lists', async () => {
    // A list that is not to be had is no reason to stop: what is needed may be known all the same.
    const { status, output } = await aptGet(['update']);
    if (status !== 0) process.stderr.write(`${failure('  ! apt-get update failed:', output).message}\n`);
  });
  await step(`Debian packages (${missing.length})`, async () => {
    const { status, output } = await aptGet(['install', '--no-install-recommends', ...missing]);
    if (status !== 0) throw failure(`apt-get could not install ${missing.join(' ')}:`, output);
  });
}
