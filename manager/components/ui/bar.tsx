import { classes } from './classes.ts';
import { fillTone, type Tone } from './tone.ts';

/**
 * The picture of a share, for a progress bar or a meter; what it says is for its parent to tell.
 * @param percent 0 to 100; undefined = under way, but nobody knows how far
 */
export function Bar({ percent, tone }: { readonly percent: number | undefined; readonly tone: Tone }) {
  return (
    <svg aria-hidden className="block h-1.5 w-full overflow-hidden rounded-full bg-inset" preserveAspectRatio="none">
      <rect
        height="100%"
        width={percent === undefined ? '28%' : `${percent}%`}
        rx="3"
        className={classes(fillTone[tone], percent === undefined ? 'animate-sweep' : 'transition-[width] duration-500')}
      />
    </svg>
  );
}
