import { connect } from 'node:net';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { inheritedEnvironment } from '../config/inherited-environment.ts';
import { maskSecrets } from '../config/mask-secrets.ts';
import type { Config } from '../config/settings.ts';
import type { Part, RunningPart } from '../supervisor/part.ts';
import { pollUntil } from '../supervisor/poll-until.ts';
import { runProgram } from '../supervisor/run-program.ts';
import type { Child } from '../supervisor/start-child.ts';
import type { DataDir } from './data-dir.ts';
import { findSystemAvahi, findSystemLibvirt } from './find-system-services.ts';
import { findTemporal } from './find-temporal.ts';
import { startAvahi } from './start-avahi.ts';
import { startDbus } from './start-dbus.ts';
import { startLibvirt } from './start-libvirt.ts';
import { databaseAnswers, startPostgres } from './start-postgres.ts';
import { startTemporal } from './start-temporal.ts';

/** What the local parts tell the worker, the API and the manager: settings, so that a child gets them as its own. */
export type LocalFacts = Pick<Config, 'databaseUrl' | 'temporalAddress' | 'temporalUiUrl' | 'libvirtUri' | 'dbusAddress'>;
type LocalPart = Part<LocalFacts>;
type Running = RunningPart<LocalFacts>;

/** Names of the local parts, for the `needs` of others. */
export const localPartNames = { postgres: 'postgres', temporal: 'temporal', libvirt: 'libvirt', dbus: 'dbus', avahi: 'avahi' } as const;

export type LocalPartName = keyof typeof localPartNames;

/** How tests run them: beside others, and leaving nothing behind. */
export interface LocalVariant {
  /** Start all of our own, whatever this host runs, and let them die with us, VMs included. */
  readonly isolated: true;
  /** The network interface on which Avahi may speak. */
  readonly onlyInterface: string;
  /** Where the Temporal command line tool is kept between runs. */
  readonly binDir: string;
}

const elsewhereDeadlineMs = 30_000;
const ofThisHost = 'the one of this host';

const ofChild = (child: Child): Pick<Running, 'ended' | 'stop'> => ({ ended: child.ended, stop: (urgent) => child.stop(urgent) });

/** @throws CloudletError `code` where what the configuration names does not answer in time */
async function waitForElsewhere(
  what: string,
  setting: string,
  signal: AbortSignal,
  code: 'store-unavailable' | 'workflow-unavailable' | 'hypervisor-unavailable',
  ask: () => Promise<boolean>,
): Promise<void> {
  if (await pollUntil(ask, { deadlineMs: elsewhereDeadlineMs, everyMs: 250, signal })) return;
  signal.throwIfAborted();
  throw new CloudletError(
    code,
    `${what} does not answer within ${elsewhereDeadlineMs / 1000} s. Correct ${setting}, or unset it to use an embedded one.`,
  );
}

function portAnswers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 2000 });
    const answer = (value: boolean) => () => {
      socket.destroy();
      resolve(value);
    };
    socket.once('connect', answer(true)).once('error', answer(false)).once('timeout', answer(false));
  });
}

const postgresPart = (config: Config, dataDir: DataDir, variant?: LocalVariant): LocalPart => ({
  name: localPartNames.postgres,
  title: 'PostgreSQL',
  async start({ logPath, signal }) {
    const url = config.databaseUrl;
    if (url !== undefined) {
      await waitForElsewhere(`The database ${maskSecrets(url)}`, 'DATABASE_URL', signal, 'store-unavailable', () => databaseAnswers(url));
      return { detail: maskSecrets(url), facts: { databaseUrl: url } };
    }
    const postgres = await startPostgres({ directory: dataDir.postgres, logPath, port: config.postgresPort, durable: !variant, signal });
    return { detail: `127.0.0.1:${config.postgresPort}`, facts: { databaseUrl: postgres.url }, ...ofChild(postgres.child) };
  },
});

const temporalPart = (config: Config, dataDir: DataDir, variant?: LocalVariant): LocalPart => ({
  name: localPartNames.temporal,
  title: 'Temporal',
  async start({ logPath, signal }) {
    const address = config.temporalAddress;
    if (address !== undefined) {
      const at = address.lastIndexOf(':');
      const host = address.slice(0, at).replace(/^\[(.*)\]$/, '$1');
      await waitForElsewhere(`Temporal at ${address}`, 'TEMPORAL_ADDRESS', signal, 'workflow-unavailable', () =>
        portAnswers(host, Number(address.slice(at + 1))),
      );
      return { detail: address, facts: { temporalAddress: address } };
    }
    const temporal = await startTemporal({
      binary: await findTemporal(variant?.binDir ?? dataDir.bin, signal),
      namespace: config.temporalNamespace,
      logPath,
      port: config.temporalPort,
      uiPort: config.temporalUiPort,
      directory: dataDir.temporal,
      signal,
    });
    return {
      detail: `${temporal.address}, UI ${temporal.uiUrl}`,
      facts: { temporalAddress: temporal.address, temporalUiUrl: config.temporalUiUrl ?? temporal.uiUrl },
      ...ofChild(temporal.child),
    };
  },
});

const libvirtPart = (config: Config, dataDir: DataDir, variant?: LocalVariant): LocalPart => ({
  name: localPartNames.libvirt,
  title: 'libvirt',
  async start({ logPath, signal }) {
    const given = config.libvirtUri;
    if (given !== undefined) {
      const ask = { environment: inheritedEnvironment(), timeoutMs: 10_000 };
      await waitForElsewhere(`libvirt at ${maskSecrets(given)}`, 'LIBVIRT_URI', signal, 'hypervisor-unavailable', async () => {
        const { status } = await runProgram(['virsh', '-c', given, 'version'], ask);
        return status === 0;
      });
      return { detail: maskSecrets(given), facts: { libvirtUri: given } };
    }
    const system = variant ? undefined : await findSystemLibvirt();
    if (system !== undefined) return { detail: ofThisHost, facts: { libvirtUri: system } };
    const isolated = variant?.isolated ?? false;
    const libvirt = await startLibvirt({ directory: dataDir.libvirt, dataDir: dataDir.root, logPath, isolated, signal });
    const detail = libvirt.adopted ? 'adopted, as it was left running' : 'with a configuration of its own';
    return { detail, facts: { libvirtUri: libvirt.uri }, ended: libvirt.ended, stop: () => libvirt.stop() };
  },
});

const dbusPart = (config: Config, dataDir: DataDir, variant?: LocalVariant): LocalPart => ({
  name: localPartNames.dbus,
  title: 'D-Bus',
  optional: true,
  async start({ logPath, signal }) {
    const found = config.dbusAddress ?? (variant ? undefined : await findSystemAvahi());
    if (found !== undefined) return { detail: config.dbusAddress ?? ofThisHost, facts: { dbusAddress: found } };
    const bus = await startDbus({ directory: dataDir.dbus, logPath, signal });
    return { detail: 'with a configuration of its own', facts: { dbusAddress: bus.address }, ...ofChild(bus.child) };
  },
});

const avahiPart = (config: Config, dataDir: DataDir, variant?: LocalVariant): LocalPart => ({
  name: localPartNames.avahi,
  title: 'Avahi',
  needs: [localPartNames.dbus],
  optional: true,
  async start({ logPath, signal }) {
    const isElsewhere = config.dbusAddress !== undefined || (!variant && (await findSystemAvahi()) !== undefined);
    if (isElsewhere) return { detail: ofThisHost };
    const avahi = await startAvahi({ directory: dataDir.avahi, dbusDirectory: dataDir.dbus, logPath, ...variant, signal });
    return { detail: 'with a configuration of its own', ...ofChild(avahi.child) };
  },
});

/**
 * What a cloudlet stands on: what the configuration names, else what this host runs, else one of our own in the data
 * directory.
 *
 * @param config with no port left open, see `assignPorts`
 */
export const localParts = (config: Config, dataDir: DataDir, variant?: LocalVariant): readonly LocalPart[] =>
  [postgresPart, temporalPart, libvirtPart, dbusPart, avahiPart].map((part) => part(config, dataDir, variant));
