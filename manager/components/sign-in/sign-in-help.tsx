import type { ReactNode } from 'react';
import { Command } from '../ui/command.tsx';

/** How to get a link that signs in. */
export function SignInHelp({ children }: { readonly children: ReactNode }) {
  return (
    <div className="flex flex-col items-start gap-3 text-sm">
      <p>{children}</p>
      <Command line="npx cloudlet sign-in" />
    </div>
  );
}
