import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { parseSaveImageHeader, readSavedXml, saveImageHeaderBytes, withSavedXml } from './save-image.ts';

export interface SavedGuestStream {
  /** From the XML in the file to that of the clone. */
  readonly rewriteXml: (xml: string) => string;
  /** What must be done before the guest runs; QEMU is started meanwhile. When it fails, so does the stream. */
  readonly mayRun: Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Delivers a saved guest through a FIFO with another XML, so that any number of clones are restored from one file
 * and nothing is copied.
 * @returns when all of it has been handed over; rejects when the signal aborts
 */
export async function streamSavedGuest(savedPath: string, fifoPath: string, stream: SavedGuestStream): Promise<void> {
  const { rewriteXml, mayRun, signal } = stream;
  await using file = await open(savedPath, 'r');
  const { buffer: header } = await file.read(Buffer.alloc(saveImageHeaderBytes));
  const parsed = parseSaveImageHeader(header);
  const { buffer: area } = await file.read(Buffer.alloc(parsed.areaBytes));
  const head = withSavedXml(header, area, rewriteXml(readSavedXml(parsed, area)));
  // Opened for both ways: opening for writing alone would wait in the kernel for a reader that may never come.
  await using fifo = await open(fifoPath, constants.O_RDWR | constants.O_NONBLOCK);
  const { bytesWritten } = await fifo.write(head);
  if (bytesWritten < head.length) throw new Error(`The description of the saved guest is too long: ${head.length} bytes`);
  await mayRun;
  await using rest = await open(fifoPath, constants.O_WRONLY);
  await copy(file.fd, rest.fd, signal);
}

/** Linux's splice(2) moves pages of the page cache into the FIFO, where QEMU takes them from: nothing else copies them. */
const spliceNumber: Partial<Record<NodeJS.Architecture, number>> = { x64: 275, arm64: 76 };
/** fcntl(2): an ordinary FIFO holds 64 KiB, and waking one another for each of these takes longer than the copy. */
const setPipeSize = 1031;
const pipeBytes = 2 ** 20;

/**
 * Hands over what is left to be read, in a process that does nothing else: a third faster than this one could. Perl is on
 * every Debian and can call Linux; what cannot be spliced is left to `cat`.
 */
async function copy(from: number, to: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const splice = spliceNumber[process.arch];
  const program = `fcntl STDOUT, ${setPipeSize}, ${pipeBytes}; do { $n = syscall ${splice}, 0, 0, 1, 0, ${pipeBytes}, 0 } while $n > 0; exec "cat" if $n < 0`;
  const [command, args] = splice ? ['perl', ['-e', program]] : ['cat', []];
  const child = spawn(command, args, { stdio: [from, to, 'ignore'], signal, killSignal: 'SIGKILL' });
  const [status] = (await once(child, 'exit')) as [number | null];
  if (status !== 0) throw new Error(`The saved guest could not be read: ${command} ended with status ${status}`);
}
