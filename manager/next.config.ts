import { dirname } from 'node:path';
import type { NextConfig } from 'next';

const checkoutDir = dirname(import.meta.dirname);

const securityHeaders: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  // Without a referrer browsers would hide the origin of forms, too, by which we know our own.
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
};

const config: NextConfig = {
  output: 'standalone',
  // Types and units come from workflows/contract, beside this folder.
  outputFileTracingRoot: checkoutDir,
  // Pictures are not resized here.
  outputFileTracingExcludes: { 'next-server': ['../node_modules/sharp/**/*', '../node_modules/@img/**/*'] },
  turbopack: { root: checkoutDir },
  poweredByHeader: false,
  // Loopback gains nothing from it, and it would hold server-sent events back.
  compress: false,
  images: { unoptimized: true },
  agentRules: false,
  experimental: {
    // Pages are read when somebody opens them: less memory while nobody does.
    preloadEntriesOnStart: false,
    // While this server is away, what was asked of it waits instead of losing the page.
    useOffline: true,
  },
  headers: async () => [{ source: '/:path*', headers: Object.entries(securityHeaders).map(([key, value]) => ({ key, value })) }],
};

export default config;
