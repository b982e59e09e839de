import path from 'node:path';
import type { ServicePort } from '../../../workflows/contract/service.ts';
import { readable } from '../../archives/archive-faults.ts';
import type { RunConfig } from './image-documents.ts';
import type { Directory, Leaf, LayerTree } from './layer-tree.ts';
import { unprocessable, wrongChoice } from './refusals.ts';

/** How the guest's init runs the image's program. */
export interface ContainerProcess {
  /** Program, by its path without links, and its arguments. */
  readonly command: readonly string[];
  /** `NAME=value` */
  readonly environment: readonly string[];
  /** Path without links. */
  readonly directory: string;
  readonly uid: number;
  readonly gid: number;
  /** Sent when the guest is told to stop, e.g. `TERM`. */
  readonly stopSignal: string;
}

const defaultPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const latin1 = (text: string): string => Buffer.from(text).toString('latin1');
const parts = (guestPath: string): readonly string[] => path.posix.normalize(`/${guestPath}`).split('/').filter(Boolean);

/** What of an image's accounts is needed to run as one of them. */
export interface Accounts {
  /** Content of `/etc/passwd` and `/etc/group`; empty where the image has none. */
  readonly passwd: string;
  readonly group: string;
}

/** What an admin says otherwise than the image. */
export interface ProcessChoice {
  readonly environment?: Readonly<Record<string, string>>;
  /** In place of CMD. */
  readonly command?: readonly string[];
}

export const withChoice = (config: RunConfig, { environment = {}, command }: ProcessChoice): RunConfig => ({
  ...config,
  Env: [
    ...(config.Env ?? []).filter((assignment) => !Object.hasOwn(environment, assignment.split('=', 1)[0]!)),
    ...Object.entries(environment).map(([name, value]) => `${name}=${value}`),
  ],
  ...(command ? { Cmd: [...command] } : {}),
});

/**
 * @param tree the image's root, with its working directory made
 * @throws CloudletError `unprocessable-bundle` when the image does not say what to run, or has no such program
 */
export function containerProcess(config: RunConfig, tree: LayerTree, accounts: Accounts, hostname: string): ContainerProcess {
  const { uid, gid, home } = resolveUser(config.User ?? '', accounts);
  const given = (config.Env ?? []).filter((assignment) => /^[^=]+=/.test(assignment));
  const has = (name: string): boolean => given.some((assignment) => assignment.startsWith(`${name}=`));
  const environment = [
    ...(has('PATH') ? [] : [defaultPath]),
    ...(has('HOME') ? [] : [`HOME=${home}`]),
    ...(has('HOSTNAME') ? [] : [`HOSTNAME=${hostname}`]),
    ...given,
  ];
  const searched = environment.find((assignment) => assignment.startsWith('PATH='))!.slice('PATH='.length);
  const directory = `/${tree.resolve(parts(latin1(config.WorkingDir || '/')))?.join('/') ?? ''}`;
  const [program, ...args] = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  if (!program) throw unprocessable('it names no program to run (neither ENTRYPOINT nor CMD)');
  const command = [findProgram(latin1(program), latin1(searched), directory, tree), ...args.map(latin1)];
  if ([...command, ...environment].some((word) => word.includes('\0'))) throw unprocessable('its command holds a zero byte');
  const stopSignal = /^(?:SIG)?([A-Z0-9+-]{1,12}|\d{1,2})$/.exec(config.StopSignal ?? '')?.[1] ?? 'TERM';
  return { command, environment: environment.map(latin1), directory, uid, gid, stopSignal };
}

function findProgram(program: string, searched: string, directory: string, tree: LayerTree): string {
  const places = program.includes('/')
    ? [path.posix.resolve(directory, program)]
    : searched.split(':').map((place) => `${place}/${program}`);
  const isProgram = (node: Directory | Leaf | undefined): boolean => node?.kind === 'file' && (node.ownership.mode & 0o111) !== 0;
  // By the path that was asked for: a program like busybox looks at the name that it is called by.
  const found = places.find((place) => isProgram(tree.find(parts(place))));
  if (found === undefined) throw unprocessable(`it is to run ${readable(program)}, and holds no such program`);
  return found;
}

/** `user`, `uid`, `user:group`, `uid:gid` as in a Dockerfile's USER, read with the image's own accounts. */
export function resolveUser(user: string, { passwd, group }: Accounts): { uid: number; gid: number; home: string } {
  const [name = '', groupName] = user.split(':', 2);
  const accounts = passwd.split('\n').map((line) => line.split(':'));
  const wanted = name === '' ? '0' : name;
  const account = accounts.find(([login]) => login === wanted) ?? accounts.find(([, , uid]) => uid === wanted);
  const uid = account ? id(account[2], user) : id(wanted, user);
  const gid = groupName === undefined || groupName === '' ? (account ? id(account[3], user) : 0) : resolveGroup(groupName, group, user);
  return { uid, gid, home: account?.[5] || (uid === 0 ? '/root' : '/') };
}

function resolveGroup(name: string, group: string, user: string): number {
  const found = group
    .split('\n')
    .map((line) => line.split(':'))
    .find(([groupName]) => groupName === name);
  return id(found?.[2] ?? name, user);
}

function id(text: string | undefined, user: string): number {
  const value = Number(text);
  if (!/^\d{1,10}$/.test(text ?? '') || value >= 2 ** 32 - 1) {
    throw unprocessable(`it is to run as "${user}", and its /etc/passwd and /etc/group know no such user or group`);
  }
  return value;
}

const maximumPorts = 16;

/**
 * `EXPOSE`d ports, TCP before UDP, lowest first: the first one is told to stock phones.
 * @throws CloudletError when they cannot be a service's
 */
export function exposedPorts({ ExposedPorts }: RunConfig): readonly ServicePort[] {
  const ports = Object.keys(ExposedPorts ?? {}).map((text): ServicePort => {
    const match = /^(\d{1,5})(?:\/(tcp|udp))?$/.exec(text.toLowerCase());
    const guestPort = Number(match?.[1]);
    if (!match || guestPort < 1 || guestPort > 65_535) throw sayPorts(`it exposes "${text.slice(0, 50)}", which is no TCP or UDP port`);
    const protocol = match[2] === 'udp' ? 'udp' : 'tcp';
    return { name: `${protocol}-${guestPort}`, protocol, guestPort };
  });
  if (ports.length === 0) throw sayPorts('it exposes no ports');
  if (ports.length > maximumPorts) throw sayPorts(`it exposes ${ports.length} ports, and a service has at most ${maximumPorts}`);
  return ports.toSorted((a, b) => a.protocol.localeCompare(b.protocol) || a.guestPort - b.guestPort);
}

const sayPorts = (fault: string) => wrongChoice(`The container image does not say what the ports of the service are: ${fault}. Name them.`);
