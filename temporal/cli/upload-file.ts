import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { bytesPerMib, formatBytes, msPerSecond } from '../../workflows/contract/units.ts';
import type { UploadBody } from '../../workflows/contract/upload.ts';
import type { ApiClient } from './api-client.ts';
import type { Output } from './output.ts';
import { progressBar } from './progress-bar.ts';
import { readableFile } from './readable-file.ts';

const pieceBytes = 8 * bytesPerMib;
/** How often the same piece is sent before the upload is left for a later command, and the pause before it. */
const patience = { tries: 8, pauseMs: msPerSecond } as const;
const tus = { 'tus-resumable': '1.0.0' };
const base64 = (text: string): string => Buffer.from(text).toString('base64');

/**
 * Sends a file in pieces. It survives a lost network and a cloudlet that is started again; a command that was itself
 * ended goes on where it was when it is repeated.
 * @returns the upload's id
 */
export async function uploadFile(api: ApiClient, file: string, output: Output): Promise<string> {
  const { path, sizeBytes } = await readableFile(file);
  await api.requireAdmin();
  const sha256 = await sha256Of(path, progress(output, sizeBytes, 'read'));
  const described = { fileName: basename(path), sizeBytes, sha256 };
  const id = (await unfinished(api, described)) ?? (await begin(api, described));
  const onInterrupt = (): void => {
    process.stderr.write('\nWhat was sent is kept for a day. Repeat the command, and it goes on from there.\n');
    process.exit(130);
  };
  process.once('SIGINT', onInterrupt);
  try {
    await sendRest(api, id, path, sizeBytes, progress(output, sizeBytes, 'sent'));
  } finally {
    process.off('SIGINT', onInterrupt);
  }
  return id;
}

interface Described {
  readonly fileName: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** One that an earlier command began with the same file. */
async function unfinished(api: ApiClient, { fileName, sizeBytes, sha256 }: Described): Promise<string | undefined> {
  const { uploads } = await api.request<{ uploads: readonly UploadBody[] }>('GET', '/v1/uploads?limit=200');
  for (const upload of uploads) {
    if (upload.state === 'claimed' || upload.fileName !== fileName || upload.sizeBytes !== sizeBytes) continue;
    const metadata = (await api.send('HEAD', `/v1/uploads/${upload.id}`, tus)).get('upload-metadata') ?? '';
    if (metadata.split(',').includes(`sha256 ${base64(sha256)}`)) return upload.id;
  }
  return undefined;
}

async function begin(api: ApiClient, { fileName, sizeBytes, sha256 }: Described): Promise<string> {
  const headers = await api.send('POST', '/v1/uploads', {
    ...tus,
    'upload-length': String(sizeBytes),
    'upload-metadata': `filename ${base64(fileName)},sha256 ${base64(sha256)}`,
  });
  return headers.get('location')!.split('/').at(-1)!;
}

async function sendRest(api: ApiClient, id: string, path: string, sizeBytes: number, show: (sentBytes: number) => void): Promise<void> {
  const url = `/v1/uploads/${id}`;
  const askOffset = async () => Number((await api.send('HEAD', url, tus)).get('upload-offset'));
  const file = await open(path);
  try {
    const piece = Buffer.alloc(Math.min(pieceBytes, Math.max(1, sizeBytes)));
    let failures = 0;
    for (let offset = await askOffset(); offset < sizeBytes;) {
      show(offset);
      try {
        const { bytesRead } = await file.read(piece, 0, piece.length, offset);
        const headers = { ...tus, 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' };
        offset = Number((await api.send('PATCH', url, headers, piece.subarray(0, bytesRead))).get('upload-offset'));
        failures = 0;
      } catch (error) {
        failures += 1;
        if (failures === patience.tries || !mayPass(error)) throw error;
        await sleep(patience.pauseMs);
        // Some of the piece may have arrived.
        offset = await askOffset().catch(() => offset);
      }
    }
    show(sizeBytes);
  } finally {
    await file.close();
  }
}

/** A cloudlet that is being started again, a network that is away, and a former connection that still holds the upload. */
const mayPass = (error: unknown): boolean => error instanceof CloudletError && (error.kind.retryable || error.code === 'state-conflict');

async function sha256Of(path: string, show: (readBytes: number) => void): Promise<string> {
  const hash = createHash('sha256');
  let readBytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: pieceBytes }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    show((readBytes += chunk.length));
  }
  return hash.digest('hex');
}

/** A bar that moves on a terminal; elsewhere nobody watches. */
function progress({ json }: Output, sizeBytes: number, done: string): (doneBytes: number) => void {
  if (!process.stdout.isTTY || json) return () => undefined;
  return (doneBytes) => {
    const bar = progressBar(sizeBytes === 0 ? 1 : doneBytes / sizeBytes);
    const text = doneBytes === sizeBytes ? '' : `${bar}  ${formatBytes(doneBytes)} of ${formatBytes(sizeBytes)} ${done}`;
    process.stdout.write(`\r\u001b[K${text}`);
  };
}
