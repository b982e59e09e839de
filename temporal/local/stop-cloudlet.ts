import { inheritedEnvironment } from '../config/inherited-environment.ts';
import { forgetFilters } from '../../activities/network/egress.ts';
import type { Config } from '../config/settings.ts';
import { runProgram } from '../supervisor/run-program.ts';
import { stopSupervisor } from '../supervisor/stop-supervisor.ts';
import { dataDirLayout } from './data-dir.ts';
import { findSystemLibvirt } from './find-system-services.ts';
import { stopLibvirt } from './stop-libvirt.ts';

export interface StopCloudletOptions {
  readonly config: Config;
  /** End the Service VMs too. */
  readonly vms: boolean;
}

export interface StopCloudletResult {
  readonly supervisorWasRunning: boolean;
  readonly libvirtWasRunning: boolean;
  readonly endedDomains: readonly string[];
  readonly leftDomains: readonly string[];
}

/** Our domains in a libvirt that is not ours: by the prefix of their names. */
async function endDomainsElsewhere(
  uri: string,
  prefix: string,
  vms: boolean,
): Promise<Pick<StopCloudletResult, 'endedDomains' | 'leftDomains'>> {
  const virsh = (...args: readonly string[]) =>
    runProgram(['virsh', '-c', uri, ...args], { environment: inheritedEnvironment(), timeoutMs: 30_000 });
  const { stdout } = await virsh('list', '--name');
  const ours = stdout.split('\n').filter((name) => name.startsWith(prefix));
  const endedDomains: string[] = [];
  for (const name of vms ? ours : []) {
    if ((await virsh('destroy', name)).status === 0) endedDomains.push(name);
  }
  return { endedDomains, leftDomains: ours.filter((name) => !endedDomains.includes(name)) };
}

/**
 * Ends what runs of a cloudlet: its supervisor with all processes, then the libvirt of its own. As long as a VM runs,
 * virtlogd and the reaper that hold it stay.
 */
export async function stopCloudlet({ config, vms }: StopCloudletOptions): Promise<StopCloudletResult> {
  const dataDir = dataDirLayout(config.dataDir);
  const supervisorWasRunning = await stopSupervisor(dataDir.run);
  const own = await stopLibvirt({ directory: dataDir.libvirt, vms });
  const elsewhere = config.libvirtUri ?? (await findSystemLibvirt());
  const others = elsewhere === undefined ? undefined : await endDomainsElsewhere(elsewhere, config.domainPrefix, vms);
  const leftDomains = [...own.leftDomains, ...(others?.leftDomains ?? [])];
  if (leftDomains.length === 0) await forgetFilters(config.domainPrefix);
  return {
    supervisorWasRunning,
    libvirtWasRunning: own.wasRunning,
    endedDomains: [...own.endedDomains, ...(others?.endedDomains ?? [])],
    leftDomains,
  };
}

const count = (domains: readonly string[], one: string, many: string): string =>
  domains.length === 1 ? `One Service VM ${one}` : `${domains.length} Service VMs ${many}`;

/** @returns what `stopCloudlet` did, in sentences */
export function describeStop(result: StopCloudletResult): readonly string[] {
  const { supervisorWasRunning, libvirtWasRunning, endedDomains, leftDomains } = result;
  const lines = [supervisorWasRunning ? 'The cloudlet has stopped.' : 'No cloudlet was running on this data directory.'];
  if (endedDomains.length > 0) lines.push(`${count(endedDomains, 'was', 'were')} ended: ${endedDomains.join(', ')}.`);
  if (leftDomains.length > 0) {
    lines.push(
      `${count(leftDomains, 'runs', 'run')} on, with the two small processes that hold them: ${leftDomains.join(', ')}.`,
      'The next npm start takes over what runs on; npm stop -- --vms ends it.',
    );
  } else if (libvirtWasRunning) {
    lines.push('libvirt has stopped.');
  }
  return lines;
}
