/** Two machines on a wire of their own: network namespaces joined by a veth pair, out of reach of any real network. */
import { readlink } from 'node:fs/promises';
import { run, startProcess, type TestProcess } from './test-process.ts';

export interface TestMachine {
  readonly address: string;
  /** Puts words before a command that make it run on this machine. */
  on(command: readonly string[]): [string, ...string[]];
}

export interface TestNetwork {
  readonly left: TestMachine;
  readonly right: TestMachine;
  readonly networkInterface: string;
  /** Takes the wire away and puts in another one; each end has a new interface index, as a USB adapter would. */
  replug(): Promise<void>;
  /** Takes the wire away, and everything on it. */
  stop(): Promise<void>;
}

const networkInterface = 'eth0';

const machineOf = (holder: TestProcess, address: string): TestMachine => ({
  address,
  on: (command) => ['nsenter', `--net=/proc/${holder.pid}/ns/net`, ...command],
});

/** A process that does nothing but keep a network namespace alive. */
async function holdNamespace(): Promise<TestProcess> {
  const holder = await startProcess(['unshare', '--net', 'sleep', 'infinity']);
  const ours = await readlink('/proc/self/ns/net');
  while ((await readlink(`/proc/${holder.pid}/ns/net`)) === ours) await new Promise(setImmediate);
  return holder;
}

async function bringUp(machine: TestMachine): Promise<void> {
  const ip = async (...words: string[]): Promise<void> => {
    const [program, ...parameters] = machine.on(['ip', ...words]);
    await run(program, parameters);
  };
  await ip('address', 'add', `${machine.address}/24`, 'dev', networkInterface);
  await ip('link', 'set', 'lo', 'up');
  await ip('link', 'set', networkInterface, 'up');
}

export async function startTestNetwork(): Promise<TestNetwork> {
  const holders = [await holdNamespace(), await holdNamespace()] as const;
  const left = machineOf(holders[0], '10.99.0.1');
  const right = machineOf(holders[1], '10.99.0.2');
  const plug = async (): Promise<void> => {
    const [end, otherEnd] = holders.map(({ pid }) => [networkInterface, 'netns', String(pid)]);
    await run('ip', ['link', 'add', ...end!, 'type', 'veth', 'peer', 'name', ...otherEnd!]);
    await Promise.all([bringUp(left), bringUp(right)]);
  };
  await plug();
  return {
    left,
    right,
    networkInterface,
    async replug() {
      const [program, ...parameters] = left.on(['ip', 'link', 'delete', networkInterface]);
      await run(program, parameters);
      await plug();
    },
    async stop() {
      await Promise.all(holders.map((holder) => holder.kill()));
    },
  };
}
