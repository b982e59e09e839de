import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeTestDataDir } from '../../test/support/local-parts.ts';
import { inheritedEnvironment } from '../config/inherited-environment.ts';
import { pollUntil } from '../supervisor/poll-until.ts';
import { readProcessStat } from '../supervisor/process-identity.ts';
import { runProgram } from '../supervisor/run-program.ts';
import { type DataDir, prepareDataDir } from './data-dir.ts';
import { libvirtFiles, listRunningQemus, readPid } from './libvirt-files.ts';
import { type Libvirt, startLibvirt } from './start-libvirt.ts';
import { stopLibvirt } from './stop-libvirt.ts';

/** A user whom nothing else uses, so that a VM's traffic can be told by it. */
const vmUserId = 64_123;

const run = (...argv: [string, ...string[]]) => runProgram(argv, { environment: inheritedEnvironment(), timeoutMs: 60_000 });

const domainXml = (name: string, disk: string): string => `
  <domain type='qemu'>
    <name>${name}</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>
    <os><type arch='x86_64' machine='q35'>hvm</type></os>
    <devices>
      <emulator>/usr/bin/qemu-system-x86_64</emulator>
      <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${disk}'/><target dev='vda' bus='virtio'/></disk>
    </devices>
    <seclabel type='static' model='dac' relabel='no'><label>+${vmUserId}:+${vmUserId}</label></seclabel>
  </domain>`;

describe('startLibvirt', () => {
  let dataDir: DataDir;

  let testRoot = '';

  beforeEach(() => {
    testRoot = makeTestDataDir().root;
    // Below a folder that only root may pass, as a checkout in /root is.
    const closed = join(testRoot, 'closed');
    mkdirSync(closed, { mode: 0o700 });
    dataDir = prepareDataDir(join(closed, 'data'));
  });
  afterEach(async () => {
    await stopLibvirt({ directory: dataDir.libvirt, vms: true });
    rmSync(testRoot, { recursive: true });
  });

  const start = (isolated = false): Promise<Libvirt> =>
    startLibvirt({ directory: dataDir.libvirt, dataDir: dataDir.root, logPath: dataDir.logOf('libvirt'), isolated });
  const virsh = async (libvirt: Libvirt, ...args: string[]): Promise<string> =>
    (await run('virsh', '-q', '-c', libvirt.uri, ...args)).stdout.trim();

  async function createDomain(libvirt: Libvirt, name: string): Promise<void> {
    const disk = join(dataDir.root, `${name}.qcow2`);
    await run('qemu-img', 'create', '-q', '-f', 'qcow2', disk, '16M');
    chownSync(disk, vmUserId, vmUserId);
    const file = join(dataDir.root, `${name}.xml`);
    writeFileSync(file, domainXml(name, disk));
    const { status, stderr } = await run('virsh', '-c', libvirt.uri, 'create', file);
    expect(stderr).toBe('');
    expect(status).toBe(0);
  }

  it('runs a VM as a user of its own, below a closed folder, and changes nothing of the host', async () => {
    const hostConfig = ['/etc/libvirt/qemu.conf', '/etc/hosts'].map((path) => statSync(path).mtimeMs);
    const libvirt = await start();
    await createDomain(libvirt, 'vm-user');
    const [qemu] = listRunningQemus(dataDir.libvirt);
    expect(qemu?.domain).toBe('vm-user');
    expect(readFileSync(`/proc/${qemu?.pid}/status`, 'utf8')).toMatch(new RegExp(`^Uid:\\t${vmUserId}\\t`, 'm'));
    expect(['/etc/libvirt/qemu.conf', '/etc/hosts'].map((path) => statSync(path).mtimeMs)).toEqual(hostConfig);
    // Whoever may open the socket commands the machine.
    expect(statSync(libvirt.socketPath).mode & 0o077).toBe(0);
  });

  it('leaves a VM running when libvirtd is killed, stopped or left, and takes it over again', async () => {
    const files = libvirtFiles(dataDir.libvirt);
    const first = await start();
    await createDomain(first, 'survivor');
    const [before] = listRunningQemus(dataDir.libvirt);

    process.kill(readPid(files.libvirtdPid), 'SIGKILL');
    expect(await pollUntil(async () => (await virsh(first, 'domstate', 'survivor')) === 'running', { deadlineMs: 10_000 })).toBe(true);

    await first.stop();
    const second = await start();
    expect(second).toMatchObject({ adopted: true, uri: first.uri });
    expect(await virsh(second, 'list', '--name')).toBe('survivor');

    expect(await stopLibvirt({ directory: dataDir.libvirt, vms: false })).toEqual({
      wasRunning: true,
      endedDomains: [],
      leftDomains: ['survivor'],
    });
    expect(readProcessStat(readPid(files.libvirtdPid))?.name).not.toBe('libvirtd');
    const third = await start();
    expect(third.adopted).toBe(true);
    expect(await virsh(third, 'list', '--name')).toBe('survivor');

    // The reaper and all daemons are gone: a fresh namespace finds the VM all the same.
    process.kill((JSON.parse(readFileSync(files.keeper, 'utf8')) as { pid: number }).pid, 'SIGKILL');
    expect(await third.ended).toBe('ended');
    const fourth = await start();
    expect(fourth.adopted).toBe(false);
    expect(await virsh(fourth, 'domstate', 'survivor')).toBe('running');
    expect(listRunningQemus(dataDir.libvirt)).toEqual([before]);

    expect(await stopLibvirt({ directory: dataDir.libvirt, vms: true })).toEqual({
      wasRunning: true,
      endedDomains: ['survivor'],
      leftDomains: [],
    });
    expect(await fourth.ended).toBe('ended');
    expect(await stopLibvirt({ directory: dataDir.libvirt, vms: true })).toMatchObject({ wasRunning: false });
  });

  it('reaps dead VMs itself', async () => {
    const libvirt = await start();
    await createDomain(libvirt, 'short-lived');
    const [qemu] = listRunningQemus(dataDir.libvirt);
    const keeper = JSON.parse(readFileSync(libvirtFiles(dataDir.libvirt).keeper, 'utf8')) as { pid: number };
    // Where the machine's first process has to do it, and takes its time, a stop takes 1.6 s instead of 0.2 s.
    expect(readProcessStat(qemu?.pid ?? 0)?.parentPid).toBe(keeper.pid);
    await virsh(libvirt, 'destroy', 'short-lived');
    expect(existsSync(`/proc/${qemu?.pid}`)).toBe(false);
  });

  it('takes its VMs along when an isolated one is stopped, or its owner is killed', async () => {
    const qemusOf = async () =>
      (await run('pgrep', '-f', `guest=isolated.*`)).stdout
        .split('\n')
        .filter((pid) => pid !== '' && commandLine(pid).includes(dataDir.root));
    const commandLine = (pid: string): string => (existsSync(`/proc/${pid}/cmdline`) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : '');
    const libvirt = await start(true);
    await createDomain(libvirt, 'isolated');
    expect(await qemusOf()).toHaveLength(1);
    await libvirt.stop();
    expect(await pollUntil(async () => (await qemusOf()).length === 0, { deadlineMs: 5000 })).toBe(true);

    const options = { directory: dataDir.libvirt, dataDir: dataDir.root, logPath: dataDir.logOf('libvirt'), isolated: true };
    const script = `const { startLibvirt } = await import(${JSON.stringify(import.meta.resolve('./start-libvirt.ts'))});
      console.log((await startLibvirt(${JSON.stringify(options)})).uri); setInterval(() => {}, 1000);`;
    const owner = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(owner.stdout, 'data');
    await createDomain(libvirt, 'isolated');
    expect(await qemusOf()).toHaveLength(1);
    owner.kill('SIGKILL');
    expect(await pollUntil(async () => (await qemusOf()).length === 0, { deadlineMs: 5000 })).toBe(true);
  });
});
