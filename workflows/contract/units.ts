/** Units used in names all over the project, and their conversions. Binary for memory and disks. */

export const bytesPerKib = 1024;
export const bytesPerMib = 1024 * 1024;
export const bytesPerGib = 1024 * 1024 * 1024;
export const msPerSecond = 1000;
export const msPerMinute = 60_000;
export const msPerHour = 3_600_000;

const steps = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** @returns e.g. `1.5 GiB`; whole bytes carry no decimals */
export function formatBytes(sizeBytes: number): string {
  let value = sizeBytes;
  let step = 0;
  // What would be shown as 1024 of a unit is one of the next.
  while (Math.round(value) >= 1024 && step < steps.length - 1) {
    value /= 1024;
    step += 1;
  }
  return `${step === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${steps[step]}`;
}

/** @returns e.g. `340 ms`, `2.4 s`, `3 min 05 s`, `2 h 10 min` */
export function formatDuration(durationMs: number): string {
  if (Math.round(durationMs) < msPerSecond) return `${Math.round(durationMs)} ms`;
  if (Math.round(durationMs / 100) < msPerMinute / 100) return `${(durationMs / msPerSecond).toFixed(1)} s`;
  const totalSeconds = Math.round(durationMs / msPerSecond);
  const hours = Math.floor(totalSeconds / 3600);
  const minutes = Math.floor((totalSeconds % 3600) / 60);
  const seconds = totalSeconds % 60;
  const two = (n: number) => String(n).padStart(2, '0');
  return hours > 0 ? `${hours} h ${two(minutes)} min` : `${minutes} min ${two(seconds)} s`;
}
