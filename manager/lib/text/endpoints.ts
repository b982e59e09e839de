import type { ServiceVm, Service } from '../api/bodies.ts';

/** Where a client reaches one port of a guest. */
export interface Endpoint {
  readonly name: string;
  readonly protocol: 'tcp' | 'udp';
  /** e.g. `192.168.1.20:20001` */
  readonly hostAndPort: string;
  /** Set where a browser can open it. */
  readonly url?: string;
}

/**
 * Where clients reach an instance; empty until it is ready.
 * @param service tells which port speaks HTTP, when it is known
 */
export function endpoints({ address, ports }: ServiceVm, service?: Pick<Service, 'readiness'>): readonly Endpoint[] {
  if (address === null) return [];
  return ports.map(({ name, protocol, guestPort, hostPort }) => {
    const hostAndPort = `${address}:${hostPort}`;
    const probed = service?.readiness.kind === 'http' && service.readiness.guestPort === guestPort;
    const speaksHttp = protocol === 'tcp' && (probed || /^http(?!s)/.test(name));
    return { name, protocol, hostAndPort, ...(speaksHttp ? { url: `http://${hostAndPort}/` } : {}) };
  });
}
