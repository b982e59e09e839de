/** What a colour says. Never alone: text and an icon say it, too. */
export type Tone = 'ok' | 'busy' | 'warn' | 'bad' | 'idle';

/** Text on its own soft ground. */
export const softTone: Readonly<Record<Tone, string>> = {
  ok: 'bg-ok-soft text-ok',
  busy: 'bg-accent-soft text-accent',
  warn: 'bg-warn-soft text-warn',
  bad: 'bg-bad-soft text-bad',
  idle: 'bg-inset text-muted',
};

/** Coloured text or icon on a surface. */
export const textTone: Readonly<Record<Tone, string>> = {
  ok: 'text-ok',
  busy: 'text-accent',
  warn: 'text-warn',
  bad: 'text-bad',
  idle: 'text-muted',
};

/** The filled part of a bar. */
export const fillTone: Readonly<Record<Tone, string>> = {
  ok: 'fill-ok-solid',
  busy: 'fill-accent',
  warn: 'fill-warn-solid',
  bad: 'fill-bad-solid',
  idle: 'fill-line-strong',
};
