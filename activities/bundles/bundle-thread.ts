/** Entry of the thread that reads or writes a bundle: see `in-thread.ts`. */
import { parentPort, workerData } from 'node:worker_threads';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { describeFailure } from '../../workflows/contract/failure.ts';
import type { BundleJobs, ThreadMessage } from './in-thread.ts';
import type { Observer } from './observer.ts';
import { packBundle } from './pack-bundle.ts';
import { unpackBundle, unpackOva } from './unpack-bundle.ts';

const jobs: { readonly [Job in keyof BundleJobs]: (input: BundleJobs[Job]['input'], observer: Observer) => Promise<unknown> } = {
  unpack: unpackBundle,
  unpackOva,
  pack: packBundle,
};
const { job, input } = workerData as { readonly job: keyof BundleJobs; readonly input: never };

const tellEveryMs = 200;
let toldAtMs = 0;
const tell = (message: ThreadMessage): void => parentPort!.postMessage(message);
const abort = new AbortController();
parentPort!.once('message', () => abort.abort());

try {
  const result = await jobs[job](input, {
    signal: abort.signal,
    onBytes(done, total) {
      if (performance.now() - toldAtMs < tellEveryMs) return;
      toldAtMs = performance.now();
      tell({ kind: 'bytes', done, total });
    },
  });
  tell({ kind: 'done', result });
} catch (error) {
  const detail = error instanceof Error ? error.message : String(error);
  const failure = error instanceof CloudletError ? describeFailure(error) : ({ code: 'internal', detail, facts: {} } as const);
  tell({ kind: 'failed', failure, stack: error instanceof Error ? (error.stack ?? detail) : detail });
} finally {
  parentPort!.close();
}
