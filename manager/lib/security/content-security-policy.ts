/** Only our own files, and of inline scripts only those with this response's nonce. Nobody may frame us. */
export function contentSecurityPolicy(nonce: string, development: boolean): string {
  const directives: Readonly<Record<string, string>> = {
    'default-src': "'self'",
    // React explains errors by means of eval, in development only.
    'script-src': `'self' 'nonce-${nonce}' 'strict-dynamic'${development ? " 'unsafe-eval'" : ''}`,
    'style-src': development ? "'self' 'unsafe-inline'" : `'self' 'nonce-${nonce}'`,
    'img-src': "'self' data:",
    'object-src': "'none'",
    'base-uri': "'none'",
    'form-action': "'self'",
    'frame-ancestors': "'none'",
  };
  return Object.entries(directives)
    .map(([name, value]) => `${name} ${value}`)
    .join('; ');
}
