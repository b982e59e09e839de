import type { ComponentPropsWithRef } from 'react';
import { classes } from './classes.ts';

export type ButtonTone = 'primary' | 'plain' | 'danger' | 'ghost';

const toneClasses: Readonly<Record<ButtonTone, string>> = {
  primary: 'border-transparent bg-accent text-on-accent hover:bg-accent-strong',
  plain: 'border-line-strong bg-surface text-ink hover:bg-inset',
  danger: 'border-transparent bg-bad text-on-bad hover:bg-bad-strong',
  ghost: 'border-transparent bg-transparent text-muted hover:bg-inset hover:text-ink',
};

const shape =
  'inline-flex h-8 shrink-0 cursor-pointer items-center justify-center gap-1.5 rounded-md border px-3 text-sm font-medium whitespace-nowrap transition-colors select-none disabled:cursor-not-allowed disabled:opacity-55 aria-disabled:cursor-progress aria-disabled:opacity-70';

/** Look of a button, for links that are to look like one. */
export const buttonClass = (tone: ButtonTone = 'plain', more?: string): string => classes(shape, toneClasses[tone], more);

export function Button({ tone, className, ...props }: ComponentPropsWithRef<'button'> & { readonly tone?: ButtonTone }) {
  return <button type="button" {...props} className={buttonClass(tone, className)} />;
}
