import { LogOut } from 'lucide-react';
import { signOut } from '../../app/sign-in/actions.ts';
import { Button } from '../ui/button.tsx';

export function SignOutButton() {
  return (
    <form action={signOut}>
      <Button type="submit" tone="ghost" className="w-full justify-start px-2.5">
        <LogOut aria-hidden className="size-4" />
        Sign out
      </Button>
    </form>
  );
}
