import type { Metadata } from 'next';
import Link from 'next/link';
import { SignInForm } from '../../components/sign-in/sign-in-form.tsx';
import { BrandMark } from '../../components/shell/brand.tsx';
import { buttonClass } from '../../components/ui/button.tsx';
import { Command } from '../../components/ui/command.tsx';
import { readSessionToken } from '../../lib/session/session-cookie.ts';

export const metadata: Metadata = { title: 'Sign in' };

interface SignInPageProps {
  readonly searchParams: Promise<Record<string, string | string[] | undefined>>;
}

export default async function SignInPage({ searchParams }: SignInPageProps) {
  const { code, session } = await searchParams;
  const ended = session === 'ended';
  const signedIn = !ended && (await readSessionToken()) !== undefined;
  return (
    <main className="grid min-h-dvh place-items-center p-4">
      <div className="w-full max-w-sm">
        <BrandMark className="mx-auto mb-5 size-12" />
        <h1 className="mb-6 text-center text-xl font-semibold tracking-tight">
          {typeof code === 'string' ? 'Sign in to this cloudlet' : ended ? 'Your session is over' : 'Manage this cloudlet'}
        </h1>
        <div className="rounded-xl border border-line bg-surface p-6 shadow-raised">
          {typeof code === 'string' ? (
            <>
              <SignInForm code={code} />
              <p className="mt-4 text-center text-[0.8125rem] text-muted">
                The link works once, for 15 minutes. You stay signed in for 12 hours.
              </p>
            </>
          ) : (
            <div className="flex flex-col items-start gap-3 text-sm">
              <p>Signing in takes a link that only this machine can make. Print one in a terminal, then open it here:</p>
              <Command line="npx cloudlet sign-in" />
              {signedIn && (
                <Link href="/" className={buttonClass('primary', 'mt-2 w-full')}>
                  Go on as signed in
                </Link>
              )}
            </div>
          )}
        </div>
      </div>
    </main>
  );
}
