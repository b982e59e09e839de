import type { BundleCompression } from '../../workflows/contract/bundle.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { compressor } from './compression.ts';
import { HashedFile, type WrittenFile } from './hashed-file.ts';

/** Where the bytes of a bundle go. What it is given must stay as it is until the call after the next one. */
export interface BundleOutput {
  write(chunk: Buffer): Promise<void>;
  finish(): Promise<WrittenFile>;
  /** Fine when it was finished. */
  close(): Promise<void>;
}

export async function bundleOutput(path: string, compression: BundleCompression, signal: AbortSignal): Promise<BundleOutput> {
  const file = await HashedFile.create(path);
  return compression === 'none' ? file : new CompressedOutput(file, compression, signal);
}

class CompressedOutput implements BundleOutput {
  readonly #file: HashedFile;
  readonly #tool: ReturnType<typeof compressor>;
  readonly #copying: Promise<void>;
  readonly #signal: AbortSignal;

  constructor(file: HashedFile, compression: Exclude<BundleCompression, 'none'>, signal: AbortSignal) {
    this.#file = file;
    this.#signal = signal;
    this.#tool = compressor(compression);
    // A tool that ends early says why by its status.
    this.#tool.child.stdin!.on('error', () => undefined);
    this.#copying = this.#copy();
    this.#copying.catch(() => undefined);
  }

  async write(chunk: Buffer): Promise<void> {
    this.#signal.throwIfAborted();
    // Only once it was handed over may the buffer be used again.
    const taken = new Promise<boolean>((resolve) => this.#tool.child.stdin!.write(chunk, (error) => resolve(!error)));
    if (await Promise.race([taken, this.#copying.then(() => false)])) return;
    await this.#copying;
    throw await this.#failure();
  }

  async finish(): Promise<WrittenFile> {
    this.#tool.child.stdin!.end();
    await this.#copying;
    const { status } = await this.#tool.ended;
    if (status !== 0) throw await this.#failure();
    return this.#file.finish();
  }

  async close(): Promise<void> {
    this.#tool.child.kill('SIGKILL');
    await this.#tool.ended;
    await Promise.allSettled([this.#copying]);
    await this.#file.close();
  }

  async #copy(): Promise<void> {
    for await (const chunk of this.#tool.child.stdout!) await this.#file.write(chunk as Buffer);
  }

  async #failure(): Promise<CloudletError> {
    const { lastWords } = await this.#tool.ended;
    return new CloudletError('internal', `Compressing the bundle failed: ${lastWords}`);
  }
}
