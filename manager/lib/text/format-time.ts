/** Times as people read them: how long ago in the text, the exact moment beside it. */
import { msPerHour, msPerMinute, msPerSecond } from '../../../workflows/contract/units.ts';

const msPerDay = 24 * msPerHour;

/**
 * A length of time to the unit that matters; unlike `formatDuration` it can be watched as it grows.
 * @returns e.g. `12 s`, `3 min`, `2 h 10 min`, `5 d`
 */
export function formatAge(ageMs: number): string {
  const age = Math.max(0, ageMs);
  if (age < msPerMinute) return `${Math.floor(age / msPerSecond)} s`;
  if (age < msPerHour) return `${Math.floor(age / msPerMinute)} min`;
  if (age < msPerDay) {
    const minutes = Math.floor((age % msPerHour) / msPerMinute);
    return `${Math.floor(age / msPerHour)} h${minutes > 0 ? ` ${minutes} min` : ''}`;
  }
  return `${Math.floor(age / msPerDay)} d`;
}

/** @returns e.g. `just now`, `12 s ago`, `3 min ago` */
export const formatAgo = (ageMs: number): string => (ageMs < 2 * msPerSecond ? 'just now' : `${formatAge(ageMs)} ago`);

/** @returns e.g. `2026-11-22 18:05:11 UTC`: the same wherever it is rendered */
export const formatUtc = (time: string): string => `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
