import type { CallOptions } from '../caller.ts';

/** Options of a call that libvirt gives flags. */
export interface FlagOptions extends CallOptions {
  /** Flags of the call, combined with `|`. 0 unless said. */
  readonly flags?: number | undefined;
}
