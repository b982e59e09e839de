import type { Caller } from '../caller.ts';
import { BlockJobType } from '../protocol/domain-enums.ts';
import { BlockResizeFlag } from '../protocol/domain-flags.ts';
import { enumName, type NameOf } from '../protocol/enum-name.ts';
import type { DomainReference } from '../protocol/references.ts';
import type { TypedParameter } from '../protocol/typed-parameters.ts';
import type { FlagOptions } from './flag-options.ts';

export interface BlockJobInfo {
  readonly type: NameOf<typeof BlockJobType>;
  /** MiB/s it is held to; 0 for no limit. */
  readonly bandwidth: number;
  /** Progress, in a unit of its own: done when `current` equals `end`. */
  readonly current: number;
  readonly end: number;
}

export interface BlockJobOptions extends FlagOptions {
  /** MiB/s; 0, the default, for no limit. */
  readonly bandwidth?: number | undefined;
}

/**
 * Work on the disks of a running domain. Begun here, it goes on by itself; `block-job` events tell how it went. Disks are named
 * by target (`vda`) or path.
 */
export class DomainBlockJobs {
  readonly #caller: Caller;
  readonly #domain: DomainReference;

  constructor(caller: Caller, domain: DomainReference) {
    this.#caller = caller;
    this.#domain = domain;
  }

  /** What is under way on a disk, if anything is. */
  async info(device: string, { flags = 0, ...options }: FlagOptions = {}): Promise<BlockJobInfo | undefined> {
    const reply = await this.#caller.call('domainGetBlockJobInfo', { domain: this.#domain, device, flags }, options);
    if (!reply.found) return undefined;
    return {
      type: enumName(BlockJobType, reply.type),
      bandwidth: Number(reply.bandwidth),
      current: Number(reply.current),
      end: Number(reply.end),
    };
  }

  /** Copies into an image what it takes from those below it, so that it stands alone. */
  async pull(device: string, { bandwidth = 0, flags = 0, ...options }: BlockJobOptions = {}): Promise<void> {
    await this.#caller.call('domainBlockPull', { domain: this.#domain, device, bandwidth: BigInt(bandwidth), flags }, options);
  }

  /** Writes an image down into one below it. `flags` are `BlockCommitFlag`. */
  async commit(
    device: string,
    { base, top, bandwidth = 0, flags = 0, ...options }: BlockJobOptions & { readonly base?: string; readonly top?: string } = {},
  ): Promise<void> {
    const args = { domain: this.#domain, device, base: base ?? null, top: top ?? null, bandwidth: BigInt(bandwidth), flags };
    await this.#caller.call('domainBlockCommit', args, options);
  }

  /** Mirrors a disk to where `destinationXml`, a `<disk>`, says. `flags` are `BlockCopyFlag`. */
  async copy(
    device: string,
    destinationXml: string,
    { parameters = [], flags = 0, ...options }: FlagOptions & { readonly parameters?: readonly TypedParameter[] } = {},
  ): Promise<void> {
    await this.#caller.call('domainBlockCopy', { domain: this.#domain, device, destinationXml, parameters, flags }, options);
  }

  /** Ends a job; a mirror that is `READY` can be kept by `flags` (`BlockJobAbortFlag`). */
  async abort(device: string, { flags = 0, ...options }: FlagOptions = {}): Promise<void> {
    await this.#caller.call('domainBlockJobAbort', { domain: this.#domain, device, flags }, options);
  }

  /** Gives a disk another size. */
  async resize(device: string, sizeBytes: number, { flags = 0, ...options }: FlagOptions = {}): Promise<void> {
    const args = { domain: this.#domain, device, size: BigInt(sizeBytes), flags: flags | BlockResizeFlag.BYTES };
    await this.#caller.call('domainBlockResize', args, options);
  }
}
