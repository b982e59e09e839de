/** Uploads as a client of tus sends them. */
import type { ApiLab, Answer } from './api-lab.ts';

export interface UploadOptions {
  readonly fileName?: string;
  readonly sha256?: string;
  readonly sizeBytes?: number;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Asks for an upload. */
export function beginUpload(lab: Pick<ApiLab, 'ask' | 'asAdmin'>, sizeBytes: number, options: UploadOptions = {}): Promise<Answer> {
  const { fileName = 'file.bin', sha256 } = options;
  const metadata = [`filename ${base64(fileName)}`, ...(sha256 === undefined ? [] : [`sha256 ${base64(sha256)}`])].join(',');
  return lab.ask('POST', '/v1/uploads', {
    headers: { ...lab.asAdmin, 'tus-resumable': '1.0.0', 'upload-length': String(sizeBytes), 'upload-metadata': metadata },
  });
}

/** Sends bytes of an upload. */
export const sendBytes = (lab: Pick<ApiLab, 'ask' | 'asAdmin'>, url: string, offset: number, bytes: Buffer): Promise<Answer> =>
  lab.ask('PATCH', url, {
    headers: {
      ...lab.asAdmin,
      'tus-resumable': '1.0.0',
      'upload-offset': String(offset),
      'content-type': 'application/offset+octet-stream',
    },
    body: bytes,
  });

/** How much of an upload has arrived. */
export const askOffset = (lab: Pick<ApiLab, 'ask' | 'asAdmin'>, url: string): Promise<Answer> =>
  lab.ask('HEAD', url, { headers: { ...lab.asAdmin, 'tus-resumable': '1.0.0' } });

/** Uploads all of a file at once. @returns its id */
export async function uploadFile(lab: Pick<ApiLab, 'ask' | 'asAdmin'>, bytes: Buffer, options: UploadOptions = {}): Promise<string> {
  const begun = await beginUpload(lab, bytes.length, options);
  const url = String(begun.headers['location']);
  if (bytes.length > 0) {
    const sent = await sendBytes(lab, url, 0, bytes);
    if (sent.status !== 204) throw new Error(`The upload was answered with ${sent.status}: ${sent.text}`);
  }
  return url.split('/').at(-1)!;
}
