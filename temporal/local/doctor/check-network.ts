import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { formatPortRange, type PortRange, rangeHolds } from '../../config/port-range.ts';
import { settings } from '../../config/settings.ts';
import { runProgram } from '../../supervisor/run-program.ts';
import { isPortFree } from '../assign-ports.ts';
import { findSystemAvahi } from '../find-system-services.ts';
import { type Check, ok } from './check.ts';

const fixedPorts = ['apiPort', 'managerPort', 'postgresPort', 'temporalPort', 'temporalUiPort'] as const;

/** @returns the ports in the range on which something listens, from the texts of /proc/net/tcp and tcp6 */
export function listeningPorts(tables: readonly string[], range: PortRange): readonly number[] {
  const listening = '0A';
  const rows = tables.flatMap((table) => table.split('\n').slice(1)).map((row) => row.trim().split(/\s+/));
  const ports = rows.filter((row) => row[3] === listening).map((row) => Number.parseInt(row[1]?.split(':')[1] ?? '', 16));
  return [...new Set(ports)].filter((port) => rangeHolds(range, port)).toSorted((a, b) => a - b);
}

export const checkPorts: Check = {
  id: 'ports',
  title: 'Ports',
  async run({ config, isRunning }) {
    if (isRunning) return ok('in use by this cloudlet, which runs');
    const wanted = fixedPorts.filter((key) => config[key] !== 0);
    const free = await Promise.all(wanted.map((key) => isPortFree(config[key])));
    const taken = wanted.filter((_, index) => !free[index]);
    if (taken.length > 0) {
      return {
        status: 'fail',
        finding: `somebody else uses ${taken.map((key) => config[key]).join(' and ')}`,
        cost: 'the cloudlet does not start',
        remedy: `End that program, or set ${taken.map((key) => settings[key].env).join(' and ')}.`,
      };
    }
    const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'utf8').catch(() => '')));
    const inRange = listeningPorts(tables, config.guestPorts);
    if (inRange.length === 0)
      return ok(`${wanted.map((key) => config[key]).join(', ')} and ${formatPortRange(config.guestPorts)} are free`);
    return {
      status: 'warn',
      finding: `somebody listens in the range for guests, at ${inRange.slice(0, 5).join(', ')}`,
      cost: 'fewer Service VMs can be reached at once',
      remedy: `Set ${settings.guestPorts.env} to a range of its own.`,
    };
  },
};

export const checkDiscovery: Check = {
  id: 'discovery',
  title: 'Discovery',
  async run({ environment }) {
    const outside = Object.values(networkInterfaces()).some((addresses) =>
      addresses?.some(({ internal, family }) => !internal && family === 'IPv4'),
    );
    const cost = 'phones do not find this cloudlet by themselves';
    if (!outside) {
      return {
        status: 'warn',
        finding: 'no network but loopback has an IPv4 address',
        cost,
        remedy: 'Connect the machine to the network of the phones.',
      };
    }
    if ((await findSystemAvahi()) !== undefined) return ok('Avahi runs on this host');
    const { status } = await runProgram(['sh', '-c', 'command -v avahi-daemon && command -v dbus-daemon'], {
      environment,
      timeoutMs: 5000,
    });
    if (status === 0) return ok('Avahi is started with the cloudlet');
    return { status: 'warn', finding: 'Avahi is not installed', cost, remedy: 'apt-get install avahi-daemon dbus' };
  },
};
