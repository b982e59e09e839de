import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { FileHandle } from 'node:fs/promises';
import { CloudletError } from '../../workflows/contract/errors.ts';
import type { BundleCompression } from '../../workflows/contract/bundle.ts';
import { refuse } from './refuse.ts';

type Compression = Exclude<BundleCompression, 'none'> | 'bzip2' | 'xz';

interface Tool {
  readonly magic: Buffer;
  /** Work on every core where the format lets them. */
  readonly decompress: readonly string[];
  readonly compress?: readonly string[];
}

const tools: Readonly<Record<Compression, Tool>> = {
  gzip: { magic: Buffer.from([0x1f, 0x8b]), decompress: ['pigz', '-dc'], compress: ['pigz', '-c'] },
  bzip2: { magic: Buffer.from('BZh'), decompress: ['lbzip2', '-dc'] },
  xz: { magic: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]), decompress: ['xz', '-dc', '-T0', '--memlimit-decompress=1GiB'] },
  zstd: {
    magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]),
    decompress: ['zstd', '-dcq', '--memory=1024MB'],
    compress: ['zstd', '-cq', '-T0', '-3'],
  },
};

/** What a tool may take while it reads bytes of a stranger: address space, and no file of its own. */
const limits = ['prlimit', '--as=8589934592', '--core=0', '--fsize=0', '--nofile=64'];

/** How a file is compressed, by its first bytes. */
export async function compressionOf(file: FileHandle): Promise<Compression | 'none'> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(6), 0, 6, 0);
  const start = buffer.subarray(0, bytesRead);
  const found = Object.entries(tools).find(([, { magic }]) => start.subarray(0, magic.length).equals(magic));
  return (found?.[0] as Compression | undefined) ?? 'none';
}

/**
 * The bytes of a compressed file, unpacked by a program of their own, which ends with the reader.
 * @throws CloudletError `unprocessable-bundle` when they are damaged or cut off
 */
export async function* decompress(file: FileHandle, compression: Compression, signal?: AbortSignal): AsyncGenerator<Buffer, void> {
  const [command, ...args] = [...limits, ...tools[compression].decompress];
  const child = spawn(command!, args, { stdio: [file.fd, 'pipe', 'pipe'] });
  const ended = endOf(child);
  const kill = () => void child.kill('SIGKILL');
  signal?.addEventListener('abort', kill, { once: true });
  try {
    for await (const chunk of child.stdout!) {
      signal?.throwIfAborted();
      yield chunk as Buffer;
    }
    const { status, lastWords } = await ended;
    signal?.throwIfAborted();
    if (/failed to execute|ENOENT/.test(lastWords)) {
      throw new CloudletError(
        'internal',
        `The program ${tools[compression].decompress[0]} is missing. \`cloudlet doctor\` says what to install.`,
      );
    }
    if (status !== 0) throw refuse(`its ${compression} compression is damaged or cut off (${lastWords})`);
  } finally {
    kill();
    signal?.removeEventListener('abort', kill);
    await ended;
  }
}

/** A program that compresses what is written to its standard input; it ends with its caller. */
export function compressor(compression: Exclude<BundleCompression, 'none'>): {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly status: number | null; readonly lastWords: string }>;
} {
  const [command, ...args] = tools[compression].compress!;
  const child = spawn(command!, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  return { child, ended: endOf(child) };
}

async function endOf(child: ChildProcess): Promise<{ status: number | null; lastWords: string }> {
  let words = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-500);
  });
  try {
    const [status] = (await once(child, 'close')) as [number | null];
    return { status, lastWords: words.trim().split('\n').at(-1) ?? '' };
  } catch (error) {
    return { status: null, lastWords: (error as Error).message };
  }
}
