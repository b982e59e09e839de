import type { Metadata, Viewport } from 'next';
import type { ReactNode } from 'react';
import { Toaster } from '../components/ui/toaster.tsx';
import { readTheme } from '../lib/read-theme.ts';
import './globals.css';

export const metadata: Metadata = {
  title: { template: '%s · Cloudlet', default: 'Cloudlet' },
  robots: { index: false, follow: false },
};

export const viewport: Viewport = { width: 'device-width', initialScale: 1 };

export default async function RootLayout({ children }: { readonly children: ReactNode }) {
  return (
    <html lang="en" data-theme={await readTheme()}>
      <body>
        <Toaster>{children}</Toaster>
      </body>
    </html>
  );
}
