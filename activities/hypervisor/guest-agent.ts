import { setTimeout as sleep } from 'node:timers/promises';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { formatDuration } from '../../workflows/contract/units.ts';
import type { Hypervisor } from './hypervisor.ts';

const retryMs = 250;
/** A guest that works hard is slow to answer. */
const answerTimeoutSeconds = 30;
/** The agent reads no more at once. libvirt hands on what is a few times as much. */
const chunkBytes = 256 * 1024;

/** What the QEMU guest agent does for us in a guest (https://qemu-project.gitlab.io/qemu/interop/qemu-ga-ref.html). */
export class GuestAgent {
  readonly #hypervisor: Pick<Hypervisor, 'askAgent'>;
  readonly #domain: string;
  readonly #signal: AbortSignal;

  /** @param signal ends the wait for an answer: libvirt goes on waiting for it, and nobody listens */
  constructor(hypervisor: Pick<Hypervisor, 'askAgent'>, domain: string, signal: AbortSignal) {
    this.#hypervisor = hypervisor;
    this.#domain = domain;
    this.#signal = signal;
  }

  /** @throws CloudletError `guest-unresponsive` where no agent answers in time */
  async untilThere(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      try {
        await this.#ask('guest-ping');
        return;
      } catch (error) {
        this.#signal.throwIfAborted();
        if (performance.now() < deadline) await sleep(retryMs, undefined, { signal: this.#signal });
        else {
          throw new CloudletError(
            'guest-unresponsive',
            `No QEMU guest agent answered in the guest within ${formatDuration(timeoutMs)}. Its disk must bring one that starts at boot.`,
            {},
            { cause: error },
          );
        }
      }
    }
  }

  /** Starts a program of the guest, and does not wait for it. */
  async start(path: string, args: readonly string[]): Promise<void> {
    await this.#ask('guest-exec', { path, arg: args });
  }

  /** Writes what the guest's file systems hold in memory to its disk. */
  async flush(): Promise<void> {
    await this.#ask('guest-fsfreeze-freeze');
    await this.#ask('guest-fsfreeze-thaw');
  }

  /** Part of a file of the guest. @returns undefined where there is no such file */
  async read(path: string, fromByte = 0): Promise<Buffer | undefined> {
    const handle = await this.#ask<number>('guest-file-open', { path, mode: 'r' }).catch(undefinedIfRefused);
    if (handle === undefined) return undefined;
    try {
      if (fromByte > 0) await this.#ask('guest-file-seek', { handle, offset: fromByte, whence: 'set' });
      const answer = await this.#ask<{ 'buf-b64': string }>('guest-file-read', { handle, count: chunkBytes });
      return Buffer.from(answer['buf-b64'], 'base64');
    } finally {
      await this.#ask('guest-file-close', { handle }).catch(() => undefined);
    }
  }

  /** @throws CloudletError `hypervisor-refused` where the agent says no, `guest-unresponsive` where it says nothing */
  async #ask<Answer>(execute: string, args?: object): Promise<Answer> {
    const command = { execute, ...(args ? { arguments: args } : {}) };
    const answer = await untilAborted(this.#hypervisor.askAgent(this.#domain, command, answerTimeoutSeconds), this.#signal);
    if (answer.kind !== 'answered') throw new CloudletError('guest-unresponsive', `The guest agent did not answer ${execute}.`);
    if (answer.value === undefined) throw new CloudletError('hypervisor-refused', `The guest agent refused ${execute}.`);
    return (answer.value as { return: Answer }).return;
  }
}

/** What comes of something that cannot be stopped, or the signal's reason as soon as nobody wants it any more. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  work.catch(() => undefined);
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function undefinedIfRefused(error: unknown): undefined {
  if (!(error instanceof CloudletError && error.code === 'hypervisor-refused')) throw error;
}
