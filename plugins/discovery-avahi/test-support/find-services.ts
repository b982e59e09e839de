/** What a phone on a machine of the test network finds. */
import { fileURLToPath } from 'node:url';
import type { FoundService } from '../../../test/support/mdns-browse.ts';
import type { TestMachine } from './test-network.ts';
import { run, startProcess, type TestProcess } from './test-process.ts';

const program = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Asks once over multicast DNS, and takes what answers within half a second. */
export async function findServices(machine: TestMachine, type: string): Promise<readonly FoundService[]> {
  const [command, ...parameters] = machine.on([
    process.execPath,
    program('../../../test/support/mdns-browse.ts'),
    machine.address,
    type,
    '500',
  ]);
  const { stdout } = await run(command, parameters);
  return JSON.parse(stdout) as readonly FoundService[];
}

/** A cloudlet that can vanish without a goodbye; its address expires after the seconds. */
export const startMortalPeer = (machine: TestMachine, type: string, name: string, port: number, seconds: number): Promise<TestProcess> =>
  startProcess(machine.on([process.execPath, program('mdns-mortal-peer.ts'), machine.address, type, name, String(port), String(seconds)]));
