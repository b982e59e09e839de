/** What the page looks like, as the person chose; `system` follows the machine. */
export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

export const themeCookieName = 'cloudlet-theme';

export const isTheme = (value: unknown): value is Theme => themes.some((theme) => theme === value);
