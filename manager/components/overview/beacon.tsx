import { classes } from '../ui/classes.ts';
import { textTone, type Tone } from '../ui/tone.ts';

const waves = [
  { radius: 34, opacity: 0.5 },
  { radius: 62, opacity: 0.36 },
  { radius: 90, opacity: 0.24 },
  { radius: 118, opacity: 0.15 },
  { radius: 146, opacity: 0.08 },
] as const;

/** Waves that go out from the cloudlet, in the colour of its health; a picture only. */
export function Beacon({ tone }: { readonly tone: Tone }) {
  return (
    <svg
      aria-hidden
      viewBox="-150 -150 300 300"
      className={classes('absolute top-1/2 -right-8 hidden size-80 -translate-y-1/2 sm:block', textTone[tone])}
    >
      <circle r="7" fill="currentColor" />
      {waves.map(({ radius, opacity }) => (
        <circle key={radius} r={radius} fill="none" stroke="currentColor" strokeWidth="1.25" strokeOpacity={opacity} />
      ))}
    </svg>
  );
}
