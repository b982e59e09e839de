/** Quantities as people read them; everything else about units is in the contract. */
import { bytesPerMib, formatBytes } from '../../../workflows/contract/units.ts';

/** @returns e.g. `0 MiB`, `256 MiB`, `19.4 GiB` */
export const formatMib = (mib: number): string => (mib === 0 ? '0 MiB' : formatBytes(mib * bytesPerMib));

/** @returns e.g. `1 user`, `3 users`, `no users` */
export const formatCount = (count: number, singular: string, plural = `${singular}s`): string =>
  count === 0 ? `no ${plural}` : `${count} ${count === 1 ? singular : plural}`;

/** @returns e.g. `42 %` */
export const formatPercent = (percent: number): string => `${Math.round(percent)} %`;

/** The first letter in upper case, for the beginning of a sentence. */
export const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
