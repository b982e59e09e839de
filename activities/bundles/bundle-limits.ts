import { bytesPerGib, bytesPerKib, bytesPerMib } from '../../workflows/contract/units.ts';

/** What a bundle may cost at most, before anything of it is believed. */
export const bundleLimits = {
  /** Members of the archive. */
  members: 64,
  /** Name of a member. */
  nameBytes: 255,
  /** A header that describes the next one: a long name and the like. */
  extendedHeaderBytes: 64 * bytesPerKib,
  /** Documents in a bundle: what the service is, the manifest, its signature, an OVF. */
  documentBytes: bytesPerMib,
  /** All of a bundle, unpacked. */
  unpackedBytes: 2048 * bytesPerGib,
  /** Disks and memory do not shrink further than to a two-hundredth, unless somebody wants them to. */
  ratio: 200,
  /** Up to here any ratio will do. */
  harmlessBytes: 64 * bytesPerMib,
} as const;
