import { readFile } from 'node:fs/promises';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { ServiceSpec } from '../../workflows/contract/service.ts';
import type { PortMapping } from '../../workflows/contract/service-vm.ts';
import { runTool } from '../run-tool.ts';
import { guestRules, noGuestRules, resolversIn } from './egress-rules.ts';

/**
 * Far above the numbers that people, containers and systemd give out. With the guest's main port added it is its own:
 * no two guests of a host have the same port.
 */
const firstUid = 2_000_000_000;

/** The uid of a guest that may reach out; undefined for one that may not. */
export const egressUid = ({ egress }: Pick<ServiceSpec, 'egress'>, [main]: readonly PortMapping[]): number | undefined =>
  egress.mode === 'none' || main === undefined ? undefined : firstUid + main.hostPort;

/** Name of this cloudlet's table, made of how its domains' names begin: several on one host leave each other's alone. */
export const egressTable = (domainPrefix: string): string => `${domainPrefix.replaceAll(/[^a-z0-9]/g, '_')}guests`;

/**
 * Sets the rules for what a guest may reach. They must stand before the guest runs; setting them again changes nothing.
 * @throws CloudletError `hypervisor-refused` when this host cannot filter
 */
export async function allowEgress(domainPrefix: string, uid: number, { egress }: Pick<ServiceSpec, 'egress'>): Promise<void> {
  if (egress.mode === 'none') return;
  const resolvers = resolversIn(await readFile('/etc/resolv.conf', 'utf8').catch(() => ''));
  try {
    await applyRules(guestRules({ table: egressTable(domainPrefix), uid, egress, resolvers }));
  } catch (error) {
    throw new CloudletError(
      'hypervisor-refused',
      `The service may reach out, but this host cannot filter what it reaches (${(error as Error).message}). Install nftables, or take its egress away.`,
      {},
      { cause: error },
    );
  }
}

/** Undo of `allowEgress`. Fine where nothing was set, or nothing can be. */
export async function denyEgress(domainPrefix: string, uid: number): Promise<void> {
  await applyRules(noGuestRules({ table: egressTable(domainPrefix), uid })).catch(() => undefined);
}

/** Takes all rules away, when no guest is left. Fine where there are none. */
export async function forgetEgress(domainPrefix: string): Promise<void> {
  const table = egressTable(domainPrefix);
  await applyRules(`add table inet ${table}\ndelete table inet ${table}`).catch(() => undefined);
}

const applyRules = (rules: string): Promise<string> => runTool('nft', ['-f', '-'], { input: `${rules}\n`, timeoutMs: 10_000 });
