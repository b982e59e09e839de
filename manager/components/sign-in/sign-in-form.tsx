'use client';

import { useActionState } from 'react';
import { signIn } from '../../app/sign-in/actions.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { Button } from '../ui/button.tsx';
import { SignInHelp } from './sign-in-help.tsx';

/**
 * The code is spent by a click and not by opening the link, which browsers prefetch and mail programs try. Works
 * without scripts, too.
 */
export function SignInForm({ code }: { readonly code: string }) {
  const [problem, act, pending] = useActionState(signIn, null);
  if (problem?.code === 'unauthenticated') {
    return (
      <div role="alert">
        <SignInHelp>This link was used already, or is too old. Print a new one in a terminal, then open it here:</SignInHelp>
      </div>
    );
  }
  return (
    <form action={act} className="flex flex-col gap-4">
      <input type="hidden" name="code" value={code} />
      <div role="alert">{problem && <ProblemView problem={problem} />}</div>
      <Button type="submit" tone="primary" aria-disabled={pending} className="h-10 w-full text-[0.9375rem]">
        {pending ? 'Signing in…' : 'Sign in'}
      </Button>
      <p className="text-center text-[0.8125rem] text-balance text-muted">
        The link works once, for 15 minutes. You stay signed in for 12 hours.
      </p>
    </form>
  );
}
