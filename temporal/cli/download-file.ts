import { createHash } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { formatBytes } from '../../workflows/contract/units.ts';
import type { ApiClient } from './api-client.ts';
import { progressBar } from './progress-bar.ts';

export interface Download {
  /** Of the API. */
  readonly path: string;
  /** Where it goes; there only once all of it has come and is what it should be. */
  readonly file: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** Whether to show how far it is. */
  readonly bar: boolean;
}

const tries = 5;

/**
 * Downloads a file that does not change. A connection that breaks is taken up where it broke off.
 * @throws CloudletError `checksum-mismatch`, or what the API answered
 */
export async function downloadFile(api: ApiClient, { path, file, sizeBytes, sha256, bar }: Download): Promise<void> {
  const unfinished = `${file}.part`;
  const handle = await open(unfinished, 'w');
  const hash = createHash('sha256');
  let done = 0;
  const show = () => bar && process.stdout.write(`\r\u001b[K${progressBar(sizeBytes === 0 ? 1 : done / sizeBytes)}  ${formatBytes(done)}`);
  try {
    for (let attempt = 1; done < sizeBytes; attempt += 1) {
      try {
        for await (const chunk of api.download(path, done)) {
          await handle.write(chunk);
          hash.update(chunk);
          done += chunk.length;
          show();
        }
      } catch (error) {
        if (error instanceof CloudletError || attempt === tries) throw error;
      }
    }
    if (hash.digest('hex') !== sha256) throw new CloudletError('checksum-mismatch', `${file} did not come as it was sent. Fetch it again.`);
    await handle.sync();
    await rename(unfinished, file);
  } finally {
    if (bar) process.stdout.write('\r\u001b[K');
    await handle.close();
    await rm(unfinished, { force: true });
  }
}
