import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { msPerSecond } from '../../workflows/contract/units.ts';
import type { Instance } from '../store/instances.ts';
import type { Hypervisor } from './hypervisor.ts';

/** What a guest runs, if it has it, to change what clones of one saved state must not share. */
export const refreshHook = '/etc/cloudlet/refresh';
const seedBytes = 32;
const nanosecondsPerMs = 1e6;
const agentTimeoutSeconds = 1;
const lookEveryMs = 20;
/** A guest that takes longer is given to its user as it is. */
const patienceMs = 2 * msPerSecond;
/** How long an agent that nobody has met yet is waited for once the guest's application answers. */
const strangersPatienceMs = msPerSecond;

/**
 * Whether the guests of an image have an agent, as far as this process has met them. libvirt hears of a restored guest's
 * agent a moment after the guest runs, and an application may answer before: without this either guests would be given
 * away as they were saved, or every start of an image without an agent would wait for one.
 */
const imagesWithAgent = new Map<string, boolean>();

export interface GuestIdentity {
  readonly hypervisor: Pick<Hypervisor, 'askAgent'>;
  /** Of the domain. */
  readonly name: string;
  /** Its digits are the guest's machine id. */
  readonly serviceVmId: string;
  /** SHA-256 of what it was started from. */
  readonly image: string;
  /** A guest that was paused is itself already: all that it lacks is the time. */
  readonly clockAlone?: boolean;
}

/** What says whether a guest has an agent: the memory that it comes from, or its disk. */
export const imageOf = ({ images: { saved, disk } }: Pick<Instance, 'images'>): string => (saved?.memory ?? disk).sha256;

/**
 * Waits until a guest that was saved or paused answers, and gives it the right time, fresh entropy and a machine id
 * meanwhile, through the agent in it. A guest of an image that is known to have no agent goes without: a service must not
 * wait for what its image does not have.
 * @param answer waits for the guest's application
 * @throws what `answer` throws
 */
export async function answerAsItself(identity: GuestIdentity, answer: () => Promise<void>): Promise<void> {
  const answered = new AbortController();
  // What goes wrong with it is no reason to keep the guest from its users.
  const refreshed = refresh(identity, answered.signal).catch(() => undefined);
  try {
    await answer();
  } finally {
    answered.abort();
  }
  const impatient = new AbortController();
  await Promise.race([refreshed, sleep(patienceMs, undefined, { signal: impatient.signal }).catch(() => undefined)]);
  impatient.abort();
}

/** What `guest-exec` answers. The small agent runs the hook to its end, and says so. */
interface StartedProgram {
  readonly pid?: number;
  readonly exited?: boolean;
}

async function refresh({ hypervisor, name, serviceVmId, image, clockAlone }: GuestIdentity, answered: AbortSignal): Promise<void> {
  const ask = (execute: string, given: object) => hypervisor.askAgent(name, { execute, arguments: given }, agentTimeoutSeconds);
  let deadline: number | undefined;
  // The first command finds out whether there is an agent; one that was just restored is heard of a moment later.
  for (;;) {
    const { kind } = await ask('guest-set-time', { time: Date.now() * nanosecondsPerMs });
    if (kind === 'answered') break;
    if (kind === 'absent') return;
    if (answered.aborted) {
      deadline ??= performance.now() + patienceWith(image);
      if (performance.now() >= deadline) {
        if (!imagesWithAgent.has(image)) imagesWithAgent.set(image, false);
        return;
      }
    }
    await sleep(lookEveryMs);
  }
  imagesWithAgent.set(image, true);
  if (clockAlone) return;
  const run = await ask('guest-exec', {
    path: refreshHook,
    arg: [serviceVmId.replaceAll('-', '')],
    'input-data': randomBytes(seedBytes).toString('base64'),
  });
  const { pid, exited } = (run.kind === 'answered' && (run.value as { return?: StartedProgram } | undefined)?.return) || {};
  if (pid === undefined || exited) return;
  const until = performance.now() + patienceMs;
  while (performance.now() < until) {
    const status = await ask('guest-exec-status', { pid });
    if (status.kind !== 'answered' || (status.value as { return?: { exited?: boolean } } | undefined)?.return?.exited !== false) return;
    await sleep(lookEveryMs);
  }
}

function patienceWith(image: string): number {
  const known = imagesWithAgent.get(image);
  if (known === undefined) return strangersPatienceMs;
  return known ? patienceMs : 0;
}
