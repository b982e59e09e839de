import type { LucideIcon } from 'lucide-react';
import { classes } from './classes.ts';
import { softTone, type Tone } from './tone.ts';

/** How a state looks: a word, an icon and a colour, each enough by itself. */
export interface BadgeLook {
  readonly label: string;
  readonly tone: Tone;
  readonly icon: LucideIcon;
  /** Whether it is on its way to another state. */
  readonly moving?: boolean;
}

export function Badge({ look: { label, tone, icon: Icon, moving } }: { look: BadgeLook }) {
  return (
    <span
      className={classes(
        'inline-flex h-6 items-center gap-1.5 rounded-full pr-2.5 pl-2 text-[0.8125rem] font-medium whitespace-nowrap',
        softTone[tone],
      )}
    >
      <Icon aria-hidden className={classes('size-3.5 shrink-0', moving && 'animate-spin [animation-duration:2.2s]')} />
      {label}
    </span>
  );
}
