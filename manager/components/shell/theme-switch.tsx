'use client';

import { Monitor, Moon, Sun, type LucideIcon } from 'lucide-react';
import { useId, useState } from 'react';
import { themeCookieName, themes, type Theme } from '../../lib/theme.ts';

const looks: Readonly<Record<Theme, { readonly label: string; readonly icon: LucideIcon }>> = {
  system: { label: 'As the system', icon: Monitor },
  light: { label: 'Light', icon: Sun },
  dark: { label: 'Dark', icon: Moon },
};

const yearSeconds = 365 * 24 * 3600;

/** A cookie, so that the server renders the right one at once. */
function apply(theme: Theme): void {
  // oxlint-disable-next-line unicorn/no-document-cookie -- the other way needs a secure context, which a tunnelled name is not
  document.cookie = `${themeCookieName}=${theme}; path=/; max-age=${yearSeconds}; samesite=strict`;
  document.documentElement.dataset['theme'] = theme;
}

export function ThemeSwitch({ theme: initial }: { readonly theme: Theme }) {
  const [theme, setTheme] = useState(initial);
  const name = useId();
  return (
    <fieldset className="flex rounded-md border border-line p-0.5">
      <legend className="sr-only">Appearance</legend>
      {themes.map((choice) => {
        const { label, icon: Icon } = looks[choice];
        return (
          <label
            key={choice}
            title={label}
            className="grid h-6.5 flex-1 cursor-pointer place-items-center rounded text-muted hover:text-ink has-checked:bg-inset has-checked:text-ink has-focus-visible:outline-2 has-focus-visible:outline-accent"
          >
            <input
              type="radio"
              name={name}
              value={choice}
              checked={theme === choice}
              onChange={() => {
                setTheme(choice);
                apply(choice);
              }}
              className="sr-only"
            />
            <span className="sr-only">{label}</span>
            <Icon aria-hidden className="size-4" />
          </label>
        );
      })}
    </fieldset>
  );
}
