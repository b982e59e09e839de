import { NextResponse, type NextRequest } from 'next/server';
import { managerConfig } from './lib/config.ts';
import { contentSecurityPolicy } from './lib/security/content-security-policy.ts';
import { refuseRequest } from './lib/security/refuse-request.ts';

/** Sees every request before any page does: refuses what no page of ours sent, and says what a page may load. */
export function proxy(request: NextRequest): NextResponse {
  const refusal = refuseRequest(
    {
      method: request.method,
      host: request.headers.get('host'),
      origin: request.headers.get('origin'),
      fetchSite: request.headers.get('sec-fetch-site'),
    },
    managerConfig.port,
  );
  if (refusal) return new NextResponse(`${refusal.message}\n`, { status: refusal.status, headers: { 'content-type': 'text/plain' } });

  const policy = contentSecurityPolicy(crypto.randomUUID(), managerConfig.development);
  // Next takes the nonce for its own scripts from the policy of the request.
  const headers = new Headers(request.headers);
  headers.set('content-security-policy', policy);
  const response = NextResponse.next({ request: { headers } });
  response.headers.set('content-security-policy', policy);
  return response;
}

export const config = { matcher: '/((?!_next/static/).*)' };
