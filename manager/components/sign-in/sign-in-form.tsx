'use client';

import { useActionState } from 'react';
import { signIn } from '../../app/sign-in/actions.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { Button } from '../ui/button.tsx';

/**
 * The code is spent by a click and not by opening the link, which browsers prefetch and mail programs try. Works
 * without scripts, too.
 */
export function SignInForm({ code }: { readonly code: string }) {
  const [problem, act, pending] = useActionState(signIn, null);
  return (
    <form action={act} className="flex flex-col gap-4">
      <input type="hidden" name="code" value={code} />
      {problem && <ProblemView problem={problem} />}
      <Button type="submit" tone="primary" aria-disabled={pending} className="h-10 w-full text-[0.9375rem]">
        {pending ? 'Signing in…' : 'Sign in'}
      </Button>
    </form>
  );
}
