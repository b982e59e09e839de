import type { BadgeLook } from './badge-look.ts';
import { classes } from './classes.ts';
import { softTone } from './tone.ts';

/** A state in a word, an icon and a colour. */
export function Badge({ look: { label, tone, icon: Icon, moving } }: { readonly look: BadgeLook }) {
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
