import { readFile } from 'node:fs/promises';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { PortMapping } from '../../workflows/contract/service-vm.ts';
import { runTool } from '../run-tool.ts';
import { guestRules, noGuestRules, resolversIn, type FilteredGuest } from './egress-rules.ts';

/**
 * Far above the numbers that people, containers and systemd give out. With the guest's main port added it is its own:
 * no two guests of a host have the same port.
 */
const firstUid = 2_000_000_000;

/**
 * The uid that a guest's QEMU runs under, by which the host filters what the guest sends; undefined for a guest without
 * ports, whose network is simply closed. Nobody could use a guest on a closed user-mode network (`restrict=on`) but this
 * host: QEMU names no gateway to it then, so that it has no way back to a phone, and drops every datagram that it sends.
 */
export const filteredUid = ([main]: readonly PortMapping[]): number | undefined => main && firstUid + main.hostPort;

/** Name of this cloudlet's table, made of how its domains' names begin: several on one host leave each other's alone. */
export const filterTable = (domainPrefix: string): string => `${domainPrefix.replaceAll(/[^a-z0-9]/g, '_')}guests`;

/**
 * Sets the rules for what guests may reach. They must stand before a guest runs; setting them again changes nothing.
 * @throws CloudletError `hypervisor-refused` when this host cannot filter
 */
export async function filterGuests(domainPrefix: string, guests: readonly FilteredGuest[]): Promise<void> {
  const resolvers = resolversIn(await readFile('/etc/resolv.conf', 'utf8').catch(() => ''));
  try {
    await applyRules(guestRules({ table: filterTable(domainPrefix), guests, resolvers }));
  } catch (error) {
    throw new CloudletError(
      'hypervisor-refused',
      `This host cannot filter what guests send (${(error as Error).message}). Install nftables.`,
      {},
      { cause: error },
    );
  }
}

/** Undo of `filterGuests` for one of them. Fine where nothing was set, or nothing can be. */
export async function unfilterGuest(domainPrefix: string, uid: number): Promise<void> {
  await applyRules(noGuestRules(filterTable(domainPrefix), uid)).catch(() => undefined);
}

/** Takes all rules away, when no guest is left. Fine where there are none. */
export async function forgetFilters(domainPrefix: string): Promise<void> {
  const table = filterTable(domainPrefix);
  await applyRules(`add table inet ${table}\ndelete table inet ${table}`).catch(() => undefined);
}

const applyRules = (rules: string): Promise<string> => runTool('nft', ['-f', '-'], { input: `${rules}\n`, timeoutMs: 10_000 });
