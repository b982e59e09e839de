/** What decides whether a request may be answered at all. */
export interface RequestFacts {
  readonly method: string;
  readonly host: string | null;
  readonly origin: string | null;
  /** `Sec-Fetch-Site`, which browsers set and pages cannot. */
  readonly fetchSite: string | null;
}

export interface Refusal {
  readonly status: 403 | 421;
  readonly message: string;
}

/** The names under which a browser on this machine reaches us. */
export const ownHosts = (port: number): readonly string[] => [`127.0.0.1:${port}`, `localhost:${port}`];

const harmlessMethods: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/**
 * Loopback alone protects nobody: any page in the browser can send requests here. Another name in `Host` means that
 * a foreign page made its own name point to this machine (DNS rebinding), and a request that changes something must
 * come from one of our own pages.
 */
export function refuseRequest({ method, host, origin, fetchSite }: RequestFacts, port: number): Refusal | undefined {
  if (host === null || !ownHosts(port).includes(host.toLowerCase())) {
    return { status: 421, message: `The manager answers only as http://127.0.0.1:${port} or http://localhost:${port}. Open it there.` };
  }
  if (harmlessMethods.has(method)) return undefined;
  const fromUs = origin === null ? fetchSite === 'same-origin' : origin === `http://${host.toLowerCase()}`;
  return fromUs ? undefined : { status: 403, message: 'This request came from another page. Do it from a page of the manager itself.' };
}
