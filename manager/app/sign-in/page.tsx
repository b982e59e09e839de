import type { Metadata } from 'next';
import { PageLink } from '../../components/ui/page-link.tsx';
import { BrandMark } from '../../components/shell/brand.tsx';
import { SignInForm } from '../../components/sign-in/sign-in-form.tsx';
import { SignInHelp } from '../../components/sign-in/sign-in-help.tsx';
import { buttonClass } from '../../components/ui/button.tsx';
import type { SearchParams } from '../../lib/search-param.ts';
import { readSessionToken } from '../../lib/session/session-cookie.ts';

export const metadata: Metadata = { title: 'Sign in' };

export default async function SignInPage({ searchParams }: { readonly searchParams: SearchParams }) {
  const { code, session } = await searchParams;
  const ended = session === 'ended';
  const signedIn = !ended && (await readSessionToken()) !== undefined;
  return (
    <main className="grid min-h-dvh place-items-center p-4 pb-[12vh]">
      <div className="w-full max-w-sm">
        <BrandMark className="mx-auto mb-5 size-12" />
        <h1 className="mb-6 text-center text-xl font-semibold tracking-tight">
          {ended ? 'Your session is over' : 'Sign in to this cloudlet'}
        </h1>
        <div className="flex flex-col gap-4 rounded-xl border border-line bg-surface p-6 shadow-raised">
          {typeof code === 'string' ? (
            <SignInForm code={code} />
          ) : (
            <SignInHelp>Signing in takes a link that only this machine can make. Print one in a terminal, then open it here:</SignInHelp>
          )}
          {signedIn && (
            <PageLink href="/" className={buttonClass('plain')}>
              Go on as signed in
            </PageLink>
          )}
        </div>
      </div>
    </main>
  );
}
