import { inheritedEnvironment } from '../../config/inherited-environment.ts';
import type { Config } from '../../config/settings.ts';
import { findSupervisor } from '../../supervisor/data-dir-lock.ts';
import { messageOf } from '../../supervisor/keep-part.ts';
import { type DataDir, dataDirLayout } from '../data-dir.ts';
import { findSystemLibvirt } from '../find-system-services.ts';
import { libvirtFiles } from '../libvirt-files.ts';
import { findKeeper, libvirtUri } from '../start-libvirt.ts';
import { checkAccelerator } from './check-accelerator.ts';
import { checkClock } from './check-clock.ts';
import { checkHostName, checkMountNamespaces, checkPacketFilter, checkReaping, checkUserNamespaces } from './check-host.ts';
import { checkLibvirtProbing, checkQemuReach } from './check-libvirt.ts';
import { checkDiscovery, checkPorts } from './check-network.ts';
import { checkDisk, checkMemory } from './check-resources.ts';
import { versionChecks } from './check-versions.ts';
import type { Check, DoctorContext, Finding, LibvirtInUse } from './check.ts';

export const checks: readonly Check[] = [
  checkAccelerator,
  checkLibvirtProbing,
  checkQemuReach,
  checkHostName,
  checkReaping,
  checkMemory,
  checkDisk,
  checkPorts,
  checkDiscovery,
  checkClock,
  checkMountNamespaces,
  checkUserNamespaces,
  checkPacketFilter,
  ...versionChecks,
];

export interface CheckResult extends Finding {
  readonly id: string;
  readonly title: string;
}

export interface DoctorReport {
  readonly results: readonly CheckResult[];
  /** No check says `fail`. */
  readonly healthy: boolean;
}

const checkDeadlineMs = 90_000;

async function libvirtInUse(config: Config, dataDir: DataDir): Promise<LibvirtInUse> {
  const uri = config.libvirtUri ?? (await findSystemLibvirt());
  if (uri !== undefined) return { kind: 'host', uri };
  const files = libvirtFiles(dataDir.libvirt);
  return findKeeper(files) ? { kind: 'own', uri: libvirtUri(files.socket) } : { kind: 'own' };
}

/** A check that fails to answer is a finding too. */
async function runCheck(check: Check, context: DoctorContext): Promise<CheckResult> {
  const { id, title } = check;
  const deadline = Promise.withResolvers<Finding>();
  const timer = setTimeout(() => deadline.resolve({ status: 'warn', finding: 'it could not be found out in time' }), checkDeadlineMs);
  try {
    return { id, title, ...(await Promise.race([check.run(context), deadline.promise])) };
  } catch (error) {
    return { id, title, status: 'warn', finding: `it could not be found out: ${messageOf(error)}` };
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Looks at what stands between this host and a good cloudlet, and prices it. It changes nothing, starts no daemon, and may
 * run beside a cloudlet.
 */
export async function runDoctor(config: Config): Promise<DoctorReport> {
  const dataDir = dataDirLayout(config.dataDir);
  const context: DoctorContext = {
    config,
    dataDir,
    environment: inheritedEnvironment(),
    libvirt: await libvirtInUse(config, dataDir),
    isRunning: findSupervisor(dataDir.run) !== undefined,
  };
  // One after the other: they measure times.
  const results: CheckResult[] = [];
  for (const check of checks) results.push(await runCheck(check, context));
  return { results, healthy: results.every(({ status }) => status !== 'fail') };
}
