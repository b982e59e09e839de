import type { ReadinessProbe, ServicePort, ServiceSpec } from './service.ts';

/** The probe of a service whose author named none: its main port takes a connection. */
export const defaultReadiness = ({ protocol, guestPort }: ServicePort): ReadinessProbe =>
  protocol === 'tcp' ? { kind: 'tcp', guestPort, timeoutSeconds: 180 } : { kind: 'none' };

/**
 * A spec whose author left its ports to the image of a container, and the probe with them.
 * @param ports what the image exposes
 */
export function withImagePorts(spec: ServiceSpec, ports: readonly ServicePort[]): ServiceSpec {
  const [main] = ports;
  return spec.ports.length > 0 || !main ? spec : { ...spec, ports: [...ports], readiness: defaultReadiness(main) };
}
