import { Worker } from 'node:worker_threads';
import { toCloudletError, type DescribedFailure } from '../../workflows/contract/failure.ts';
import { msPerSecond } from '../../workflows/contract/units.ts';
import type { PackedBundle, PackInput } from './pack-bundle.ts';
import type { UnpackedBundle, UnpackInput } from './bundle-contents.ts';
import type { Observer } from './observer.ts';

/** The work that is done beside the main thread, by name. */
export interface BundleJobs {
  readonly unpack: { readonly input: UnpackInput; readonly result: UnpackedBundle };
  readonly unpackOva: { readonly input: Pick<UnpackInput, 'file' | 'folder'>; readonly result: UnpackedBundle };
  readonly pack: { readonly input: PackInput; readonly result: PackedBundle };
}

/** What the thread says. */
export type ThreadMessage =
  | { readonly kind: 'bytes'; readonly done: number; readonly total: number }
  | { readonly kind: 'done'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly failure: DescribedFailure; readonly stack: string };

const entry = new URL('./bundle-thread.ts', import.meta.url);
/** A thread that was told to end has so long to do it in an orderly way. */
const graceMs = msPerSecond;

/**
 * Does the work in a thread of its own: hashing and reading what strangers wrote must not hold up everything else that
 * this process does. The thread ends with the work, or with the signal.
 */
export function inThread<Job extends keyof BundleJobs>(
  job: Job,
  input: BundleJobs[Job]['input'],
  { signal, onBytes }: Observer,
): Promise<BundleJobs[Job]['result']> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const thread = new Worker(entry, { workerData: { job, input }, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: 128 } });
    let deadline: NodeJS.Timeout | undefined;
    const abort = () => {
      thread.postMessage('abort');
      deadline = setTimeout(() => void thread.terminate(), graceMs);
    };
    signal.addEventListener('abort', abort, { once: true });
    let outcome: (() => void) | undefined;
    thread.on('message', (message: ThreadMessage) => {
      if (message.kind === 'bytes') onBytes(message.done, message.total);
      else if (message.kind === 'done') outcome = () => resolve(message.result as BundleJobs[Job]['result']);
      else outcome = () => reject(asError(message));
    });
    thread.on('error', (error) => {
      outcome = () => reject(error);
    });
    thread.on('exit', (code) => {
      clearTimeout(deadline);
      signal.removeEventListener('abort', abort);
      if (signal.aborted) reject(signal.reason as Error);
      else if (outcome) outcome();
      else reject(new Error(`The thread that was to ${job} a bundle ended early (${code})`));
    });
  });
}

function asError({ failure, stack }: Extract<ThreadMessage, { kind: 'failed' }>): Error {
  const error = failure.code === 'internal' ? new Error(failure.detail) : toCloudletError(failure);
  error.stack = stack;
  return error;
}
