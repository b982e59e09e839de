import { readFile, stat } from 'node:fs/promises';
import { formatDuration } from '../../../workflows/contract/units.ts';
import { runProgram } from '../../supervisor/run-program.ts';
import { type Check, ok } from './check.ts';
import { isPermitted, permission, readAccounts, type UserAccount } from './user-account.ts';

/** A question that libvirt answers from memory takes milliseconds; one for which it starts QEMU takes seconds. */
const slowMs = 1000;

/** Debian's default where qemu.conf names no user. */
const defaultQemuUser = 'libvirt-qemu';

/** @returns the user that a qemu.conf makes QEMU run as */
export const qemuUserIn = (qemuConf: string): string => /^\s*user\s*=\s*"\+?([^"]+)"/m.exec(qemuConf)?.[1] ?? defaultQemuUser;

/** @returns the user who cannot open /dev/kvm although libvirt would have QEMU run as it; undefined where all is well */
async function lockedOutUser(): Promise<string | undefined> {
  const kvm = await stat('/dev/kvm').catch(() => undefined);
  const conf = await readFile('/etc/libvirt/qemu.conf', 'utf8').catch(() => '');
  const name = qemuUserIn(conf);
  const user = await readAccounts().then((accounts) => accounts.find((account) => account.name === name));
  return kvm && user && !isPermitted(kvm, user, permission.read | permission.write) ? name : undefined;
}

/** Where QEMU's user cannot open /dev/kvm, libvirt forgets what it knows of QEMU and asks it anew at every lookup. */
export const checkLibvirtProbing: Check = {
  id: 'libvirt-probing',
  title: 'libvirt remembers QEMU',
  async run({ libvirt, environment }) {
    const { uri } = libvirt;
    const remedy =
      'In /etc/libvirt/qemu.conf set user = "root", group = "root", security_driver = "none" and remember_owner = 0, or give that user /dev/kvm; then restart libvirtd.';
    if (uri !== undefined) {
      const ask = () => runProgram(['virsh', '-c', uri, 'domcapabilities'], { environment, timeoutMs: 60_000 });
      await ask();
      const begun = performance.now();
      const { status } = await ask();
      const tookMs = performance.now() - begun;
      if (status !== 0) return { status: 'fail', finding: `libvirt at ${uri} does not answer`, remedy: 'See its log, and restart it.' };
      if (tookMs < slowMs) return ok(`it answers in ${formatDuration(tookMs)}`);
      return {
        status: 'warn',
        finding: 'libvirt probes QEMU anew at every lookup',
        cost: `each lookup takes ${formatDuration(tookMs)}`,
        remedy,
      };
    }
    if (libvirt.kind === 'own') return ok('its own configuration sees to it');
    const user = await lockedOutUser();
    if (user === undefined) return ok('QEMU runs as a user who can open what it needs');
    return {
      status: 'warn',
      finding: `QEMU would run as ${user}, who cannot open /dev/kvm`,
      cost: 'each start takes many seconds longer',
      remedy,
    };
  },
};

/** With a libvirt of the host, QEMU runs as a user of its own, who must pass every folder on the way to the disks. */
export const checkQemuReach: Check = {
  id: 'qemu-reach',
  title: 'QEMU reaches the data',
  async run({ libvirt, dataDir }) {
    if (libvirt.kind === 'own') return ok('its own namespace opens the way');
    const name = qemuUserIn(await readFile('/etc/libvirt/qemu.conf', 'utf8').catch(() => ''));
    const user = await readAccounts().then((accounts) => accounts.find((account) => account.name === name));
    const closed = user && (await firstClosedFolder(dataDir.root, user));
    if (closed === undefined) return ok(`${name} can pass to ${dataDir.root}`);
    return {
      status: 'fail',
      finding: `QEMU runs as ${name}, who cannot pass ${closed}`,
      cost: 'no Service VM starts',
      remedy: `Allow it with chmod o+x ${closed}, or set CLOUDLET_DATA_DIR to a folder where everybody may pass.`,
    };
  },
};

async function firstClosedFolder(path: string, user: UserAccount): Promise<string | undefined> {
  let folder = '';
  for (const part of path.split('/').filter(Boolean)) {
    folder += `/${part}`;
    const found = await stat(folder).catch(() => undefined);
    if (!found) return undefined;
    if (!isPermitted(found, user, permission.pass)) return folder;
  }
  return undefined;
}
