import { hostname } from 'node:os';
import { formatDuration } from '../../../workflows/contract/units.ts';
import { pollUntil } from '../../supervisor/poll-until.ts';
import { readProcessStat } from '../../supervisor/process-identity.ts';
import { runProgram } from '../../supervisor/run-program.ts';
import { type Check, ok } from './check.ts';

const slowNameMs = 500;

/** libvirt asks for the host's own name in every create, restore and migration. */
export const checkHostName: Check = {
  id: 'host-name',
  title: 'Own name resolves',
  async run({ environment, libvirt }) {
    const name = hostname();
    const begun = performance.now();
    const { status } = await runProgram(['getent', 'hosts', name], { environment, timeoutMs: 15_000 });
    const tookMs = performance.now() - begun;
    if (status === 0 && tookMs < slowNameMs) return ok(`${name} resolves in ${formatDuration(tookMs)}`);
    return {
      status: 'warn',
      finding:
        status === 0
          ? `${name} resolves only after ${formatDuration(tookMs)}`
          : `${name} does not resolve, which takes ${formatDuration(tookMs)}`,
      cost:
        libvirt.kind === 'own'
          ? 'none here: our libvirt has a name table of its own'
          : `each start and restore takes ${formatDuration(tookMs)} longer`,
      remedy: `Add the line "127.0.1.1 ${name}" to /etc/hosts.`,
    };
  },
};

const slowReapMs = 250;
const reapDeadlineMs = 6000;

/** libvirt waits until a QEMU that has ended is also reaped. In containers the first process often takes its time. */
export const checkReaping: Check = {
  id: 'reaping',
  title: 'Dead processes are reaped',
  async run({ environment, libvirt }) {
    const { stdout } = await runProgram(['sh', '-c', 'sleep 0.1 >/dev/null 2>&1 & echo $!'], { environment, timeoutMs: 5000 });
    const orphan = Number(stdout);
    await pollUntil(() => readProcessStat(orphan)?.name !== 'sleep' || readProcessStat(orphan)?.state === 'Z', {
      deadlineMs: 5000,
      everyMs: 10,
    });
    const begun = performance.now();
    const reaped = await pollUntil(() => readProcessStat(orphan)?.name !== 'sleep', { deadlineMs: reapDeadlineMs, everyMs: 10 });
    const tookMs = performance.now() - begun;
    if (reaped && tookMs < slowReapMs) return ok(`after ${formatDuration(tookMs)}`);
    const finding = reaped ? `only after ${formatDuration(tookMs)}` : `not within ${formatDuration(reapDeadlineMs)}`;
    if (libvirt.kind === 'own') return ok(`by a reaper of our own; this host does it ${finding}`);
    return {
      status: 'warn',
      finding,
      cost: `each stop and save takes ${formatDuration(tookMs)} longer`,
      remedy:
        'Run the machine with an init that reaps (docker run --init, tini, systemd), or unset LIBVIRT_URI to use the embedded libvirt.',
    };
  },
};

/** As root, PostgreSQL takes another name in a user namespace; see unprivileged-command.ts. */
export const checkUserNamespaces: Check = {
  id: 'user-namespaces',
  title: 'User namespaces',
  async run({ environment }) {
    const { status } = await runProgram(['unshare', '--user', '--map-user=65534', '--map-group=65534', '--', 'true'], {
      environment,
      timeoutMs: 5000,
    });
    if (status === 0) return ok('they can be made');
    return {
      status: 'warn',
      finding: 'they cannot be made',
      cost: 'the embedded PostgreSQL runs as nobody, who must be able to pass to the checkout and to the data directory',
      remedy: 'sysctl user.max_user_namespaces=10000, or allow them in the container.',
    };
  },
};

/** A libvirt and an Avahi of our own see a /run of their own. */
export const checkMountNamespaces: Check = {
  id: 'mount-namespaces',
  title: 'Mount namespaces',
  async run({ environment, libvirt }) {
    const { status, stderr } = await runProgram(['unshare', '--mount', '--', 'true'], { environment, timeoutMs: 5000 });
    if (status === 0) return ok('they can be made');
    if (libvirt.kind === 'host') return ok('they cannot be made, but libvirt is that of the host');
    return {
      status: 'fail',
      finding: `they cannot be made: ${stderr.trim()}`,
      cost: 'the embedded libvirt does not start',
      remedy: 'Run as root, in a container with CAP_SYS_ADMIN (docker run --privileged), or set LIBVIRT_URI.',
    };
  },
};

const sampleRuleset = 'table inet cloudlet-doctor { chain out { type filter hook output priority 0; meta skuid 64123 drop; }; }';

/** What a guest may reach is filtered by the user that its QEMU runs as. */
export const checkPacketFilter: Check = {
  id: 'packet-filter',
  title: 'Packet filter',
  async run({ environment }) {
    const { status, stderr } = await runProgram(['sh', '-c', 'printf %s "$1" | nft --check --file -', 'sh', sampleRuleset], {
      environment,
      timeoutMs: 5000,
    });
    if (status === 0) return ok('nftables can filter by user');
    return {
      status: 'fail',
      finding: `nftables does not work here: ${stderr.trim().split('\n')[0] ?? ''}`,
      cost: 'no Service VM can be started',
      remedy: 'Install nftables, and run with the right to configure the network (CAP_NET_ADMIN).',
    };
  },
};
