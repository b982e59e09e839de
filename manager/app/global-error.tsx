'use client';

import { CrashView } from '../components/problem/crash-view.tsx';
import './globals.css';

export default function GlobalError(props: { readonly error: unknown; readonly retry: () => void }) {
  return (
    <html lang="en">
      <body>
        <CrashView {...props} />
      </body>
    </html>
  );
}
