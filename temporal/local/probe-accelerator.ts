import { constants } from 'node:fs';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { inheritedEnvironment } from '../config/inherited-environment.ts';
import { readBootId } from '../supervisor/process-identity.ts';
import { runProgram } from '../supervisor/run-program.ts';
import { probeGuestDisk, probeGuestStatus, probeGuestTrace } from './probe-guest.ts';

/** How Service VMs run on this host. */
export interface AcceleratorFinding {
  /** `kvm` only where a guest has really booted in it; `tcg` is QEMU's own translation, which works everywhere. */
  readonly accelerator: 'kvm' | 'tcg';
  /** Why, in a sentence. */
  readonly reason: string;
}

const Cached = Type.Object({
  kernel: Type.String(),
  bootId: Type.String(),
  accelerator: Type.Union([Type.Literal('kvm'), Type.Literal('tcg')]),
  reason: Type.String(),
});

/** A guest that has not come to its end by then hangs: it takes 0.1 s under KVM and TCG alike. */
const probeTimeoutMs = 5000;

export interface ProbeResult {
  readonly booted: boolean;
  /** The letters of the steps that it took; see probe-guest.ts. */
  readonly trace: string;
  /** What QEMU said on its standard error, in a line. */
  readonly complaint: string;
}

function complaintIn(stderr: string): string {
  const lines = stderr.trim().split('\n');
  return lines.find((line) => /error/i.test(line)) ?? lines[0] ?? '';
}

/**
 * Boots the probe guest.
 *
 * @param workDir where its files lie meanwhile
 */
export async function bootProbeGuest(accelerator: 'kvm' | 'tcg', workDir: string): Promise<ProbeResult> {
  const folder = await mkdtemp(join(workDir, 'probe-'));
  try {
    const disk = join(folder, 'disk.raw');
    const trace = join(folder, 'trace');
    await writeFile(disk, probeGuestDisk());
    const machine = ['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-machine', `pc,accel=${accelerator}`, '-m', '32'];
    const devices = ['-device', 'isa-debug-exit,iobase=0xf4,iosize=4', '-device', 'isa-debugcon,iobase=0xe9,chardev=trace'];
    const files = ['-chardev', `file,id=trace,path=${trace}`, '-drive', `file=${disk},format=raw,if=ide`];
    const { status, stderr } = await runProgram(['qemu-system-x86_64', ...machine, ...devices, ...files], {
      environment: inheritedEnvironment(),
      timeoutMs: probeTimeoutMs,
    });
    const written = await readFile(trace, 'utf8').catch(() => '');
    return {
      booted: status === probeGuestStatus && written === probeGuestTrace,
      trace: written,
      complaint: complaintIn(stderr),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Whether the processor offers this machine to run guests in hardware. */
export const hasVirtualizationFlag = (cpuinfo: string): boolean => /^flags\s*:.*\b(vmx|svm)\b/m.test(cpuinfo);

/** @returns why KVM cannot even be tried, undefined where it can */
async function obstacle(): Promise<string | undefined> {
  const cpuinfo = await readFile('/proc/cpuinfo', 'utf8');
  if (!hasVirtualizationFlag(cpuinfo)) return 'The processor shows neither vmx nor svm, so there is no hardware virtualization here.';
  const usable = await access('/dev/kvm', constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
  return usable ? undefined : 'The processor has hardware virtualization, but /dev/kvm cannot be opened.';
}

async function readCached(path: string): Promise<AcceleratorFinding | undefined> {
  try {
    const cached: unknown = JSON.parse(await readFile(path, 'utf8'));
    const valid = Value.Check(Cached, cached) && cached.kernel === release() && cached.bootId === readBootId();
    return valid ? { accelerator: cached.accelerator, reason: cached.reason } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Finds out whether guests really run under KVM here, once per boot of the host.
 *
 * @param runDir folder in which the answer is kept
 */
export async function probeAccelerator(runDir: string): Promise<AcceleratorFinding> {
  const refused = await obstacle();
  if (refused !== undefined) return { accelerator: 'tcg', reason: refused };
  const path = join(runDir, 'accelerator.json');
  const cached = await readCached(path);
  if (cached) return cached;
  const { booted, trace, complaint } = await bootProbeGuest('kvm', runDir);
  const finding: AcceleratorFinding = booted
    ? { accelerator: 'kvm', reason: 'A probe guest has booted under KVM.' }
    : {
        accelerator: 'tcg',
        reason: `KVM is there, but a probe guest does not boot in it (it came to step "${trace}"). ${complaint}`.trim(),
      };
  await writeFile(path, JSON.stringify({ kernel: release(), bootId: readBootId(), ...finding }), { mode: 0o600 });
  return finding;
}
