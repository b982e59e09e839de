import { InvalidArgumentError, Option, type Command } from 'commander';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { ServiceChange } from '../../workflows/contract/http.ts';
import type { Egress, ReadinessProbe, ServicePort, ServiceSpec } from '../../workflows/contract/service.ts';
import { collectPorts } from './service-port.ts';
import { wholeNumber, wholeNumberOrZero } from './whole-number.ts';

/** What a command line says of a service; what it does not say is absent. */
export interface SpecOptions extends Pick<
  ServiceChange,
  'description' | 'version' | 'vcpus' | 'diskGrowthMib' | 'whenFull' | 'sharing' | 'idleSeconds' | 'leaseSeconds'
> {
  readonly tag?: readonly string[];
  readonly port?: readonly ServicePort[];
  readonly ready?: Readiness;
  readonly readySeconds?: number;
  readonly memory?: number;
  readonly minimumMemory?: number;
  readonly users?: number;
  readonly restart?: ServiceSpec['restartPolicy'];
  readonly egress?: readonly string[];
  readonly pool?: number;
  readonly os?: ServiceSpec['osType'];
}

const choice = (flags: string, about: string, choices: readonly string[]): Option => new Option(flags, about).choices(choices);
const number = (flags: string, about: string, parse = wholeNumber): Option => new Option(flags, about).argParser(parse);

/** All that can be said of a service, to make it or to change it: one row for each setting of `ServiceSpec`. */
const specOptions: readonly Option[] = [
  new Option('--description <text>', 'what it is for'),
  new Option('--version <text>', 'its version, for people'),
  new Option('--tag <tag...>', 'all its tags'),
  new Option('--port <port...>', 'guest ports that clients reach: 8080, 7/udp, ssh=22; the first one is the main one').argParser(
    collectPorts,
  ),
  new Option(
    '--ready <when>',
    'ready when: /health (GET of it on the first TCP port is answered), 8081/health, 8080 (the port takes a connection), none (at once)',
  ).argParser(parseReadiness),
  number('--ready-seconds <s>', 'how long that may take'),
  number('--vcpus <n>', 'processors of the guest'),
  number('--memory <MiB>', 'memory of the guest'),
  number('--minimum-memory <MiB>', 'what a cold boot may fall to'),
  number('--disk-growth-mib <MiB>', 'how much an instance may write to its disk'),
  number('--users <n>', 'users of one instance at most'),
  choice('--when-full <what>', 'beyond them', ['another', 'refuse']),
  choice('--sharing <how>', 'join an instance of others, or always own', ['join', 'own']),
  number('--idle-seconds <s>', 'without traffic for so long, its users count as gone'),
  number('--lease-seconds <s>', 'for how long a start or a renewal holds the instance'),
  choice('--restart <policy>', 'when its guest ends by itself', ['never', 'on-failure', 'always']),
  new Option('--egress <what...>', 'what the guest may reach by itself: none, or internet and networks like 10.0.0.0/8'),
  number('--pool <n>', 'instances that wait ready', wholeNumberOrZero),
  choice('--os <type>', 'what runs in the guest', ['linux', 'windows', 'other']),
];

export function addSpecOptions(command: Command): Command {
  for (const option of specOptions) command.addOption(option);
  return command;
}

/** The keys under which commander puts them. */
const specKeys: ReadonlySet<string> = new Set(specOptions.map((option) => option.attributeName()));

/** The part of a command's options that is about the service itself. */
export const specOptionsOf = (options: object): SpecOptions =>
  Object.fromEntries(Object.entries(options).filter(([key]) => specKeys.has(key)));

/** What of a service is there already, and is changed together with what is said. */
export type PresentSpec = Pick<ServiceSpec, 'memory' | 'ports' | 'readiness'>;

/**
 * What `/v1` is told of a service.
 * @param present undefined for one that is yet to be made
 * @throws CloudletError `invalid-input` where a probe has no port
 */
export function specChange(options: SpecOptions, present?: PresentSpec): ServiceChange {
  const { tag, port, ready, readySeconds, memory, minimumMemory, users, restart, egress, pool, os, ...others } = options;
  const given = {
    memory: memoryOf(memory, minimumMemory, present?.memory),
    readiness: readinessOf(ready, readySeconds, port ?? present?.ports ?? [], present?.readiness),
    tags: tag && [...tag],
    ports: port && [...port],
    maximumUsers: users,
    poolSize: pool,
    restartPolicy: restart,
    egress: egress && egressOf(egress),
    osType: os,
  };
  return { ...others, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}

function memoryOf(
  ideal: number | undefined,
  minimum: number | undefined,
  present?: ServiceSpec['memory'],
): ServiceSpec['memory'] | undefined {
  if (ideal === undefined && minimum === undefined) return undefined;
  const idealMib = ideal ?? present?.idealMib ?? minimum!;
  return { idealMib, minimumMib: minimum ?? Math.min(present?.minimumMib ?? idealMib, idealMib) };
}

/** A probe as people write it: of which kind, and where, as far as they say. */
interface Readiness {
  readonly kind: ReadinessProbe['kind'];
  readonly guestPort?: number;
  readonly path?: string;
}

export function parseReadiness(text: string): Readiness {
  if (text === 'none') return { kind: 'none' };
  const [match, port, path] = /^(\d{1,5})?(\/.*)?$/.exec(text) ?? [];
  if (!match) throw new InvalidArgumentError('Write /health, 8081/health, 8080 or none.');
  return { kind: path ? 'http' : 'tcp', ...(port ? { guestPort: Number(port) } : {}), ...(path ? { path } : {}) };
}

const usualSeconds = 300;

function readinessOf(
  said: Readiness | undefined,
  seconds: number | undefined,
  ports: readonly ServicePort[],
  present: ReadinessProbe | undefined,
): ReadinessProbe | undefined {
  if (!said && seconds === undefined) return undefined;
  const {
    kind,
    path = '/',
    guestPort = ports.find(({ protocol }) => protocol === 'tcp')?.guestPort,
  }: Readiness = said ?? present ?? { kind: 'tcp' };
  if (kind === 'none') return { kind };
  if (guestPort === undefined) throw new CloudletError('invalid-input', 'Say which port to probe, like 8080 or 8080/health.');
  const presentSeconds = present && present.kind !== 'none' ? present.timeoutSeconds : undefined;
  const timeoutSeconds = seconds ?? presentSeconds ?? usualSeconds;
  return kind === 'http' ? { kind, guestPort, path, timeoutSeconds } : { kind, guestPort, timeoutSeconds };
}

const egressOf = (allowed: readonly string[]): Egress => {
  const networks = allowed.filter((each) => each !== 'internet' && each !== 'none');
  const internet = allowed.includes('internet');
  return internet || networks.length > 0 ? { mode: 'filtered', internet, allow: networks } : { mode: 'none' };
};
