import { CloudletError } from '../../workflows/contract/errors.ts';
import { runTool } from '../run-tool.ts';

/** A header can claim anything; reading one must not cost the host its memory or an hour. */
const limits = ['--as=1073741824', '--cpu=20'];

interface OverlayInfo {
  readonly 'virtual-size': number;
  readonly 'backing-filename'?: string;
  readonly 'backing-filename-format'?: string;
  readonly encrypted?: boolean;
  readonly 'format-specific'?: { readonly data?: { readonly 'data-file'?: string; readonly corrupt?: boolean } };
}

/**
 * Looks at a disk that holds only the differences to another one: to just that one it may point, by its name alone.
 * @throws CloudletError `unsafe-image` saying what is wrong
 */
export async function inspectOverlay(
  path: string,
  base: { readonly name: string; readonly virtualSizeBytes: number },
  signal?: AbortSignal,
): Promise<void> {
  const unsafe = (fault: string) => new CloudletError('unsafe-image', `The saved disk is refused: ${fault}.`);
  let info: OverlayInfo;
  try {
    // Without the chain below it, nothing but this file is opened.
    const text = await runTool('prlimit', [...limits, 'qemu-img', 'info', '--output=json', '-f', 'qcow2', path], {
      signal,
      timeoutMs: 30_000,
    });
    info = JSON.parse(text) as OverlayInfo;
  } catch (error) {
    signal?.throwIfAborted();
    throw unsafe(`qemu-img cannot read it (${(error as Error).message})`);
  }
  const { corrupt, 'data-file': dataFile } = info['format-specific']?.data ?? {};
  if (info['backing-filename'] !== base.name || info['backing-filename-format'] !== 'qcow2')
    throw unsafe('it lies over another disk than that of the bundle');
  if (info['virtual-size'] !== base.virtualSizeBytes) throw unsafe('it is not as large as the disk that it lies over');
  if (dataFile !== undefined) throw unsafe('it keeps its data in another file');
  if (corrupt || info.encrypted) throw unsafe('it is corrupt or encrypted');
}
