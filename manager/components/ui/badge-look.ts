import type { LucideIcon } from 'lucide-react';
import type { Tone } from './tone.ts';

/** How a state looks: a word, an icon and a colour, each enough by itself. */
export interface BadgeLook {
  readonly label: string;
  readonly tone: Tone;
  readonly icon: LucideIcon;
  /** Whether it is on its way to another state. */
  readonly moving?: boolean;
}
