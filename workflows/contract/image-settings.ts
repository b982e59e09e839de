import type { ReadinessProbe, ServicePort, ServiceSpec } from './service.ts';

/** The probe of a service whose author named none: its main port takes a connection. */
export const defaultReadiness = ({ protocol, guestPort }: ServicePort): ReadinessProbe =>
  protocol === 'tcp' ? { kind: 'tcp', guestPort, timeoutSeconds: 180 } : { kind: 'none' };

/** What the virtual machine of an OVA says of itself. */
export type ImageMachine = Partial<Pick<ServiceSpec, 'description' | 'memory' | 'vcpus'>>;

/** What an image says of the service that it is to be, besides its disk. */
export interface ImageSettings {
  /** What the image of a container exposes, where the spec names no ports. */
  readonly ports?: readonly ServicePort[];
  readonly machine?: ImageMachine;
}

/** Parts of a spec that its author did not name: an image that says something of them has its way. */
export type LeftToImage = readonly (keyof ImageMachine)[];

/** @param given what the author of a service named */
export const leftToImage = (given: Partial<ServiceSpec>): LeftToImage =>
  (['description', 'memory', 'vcpus'] as const).filter((key) => given[key] === undefined);

/** A spec whose author left something to the image: the ports of a container, and the probe with them; the machine of an OVA. */
export function withImageSettings(spec: ServiceSpec, { ports = [], machine = {} }: ImageSettings, left: LeftToImage = []): ServiceSpec {
  const [main] = ports;
  const ofMachine = Object.fromEntries(left.flatMap((key) => (machine[key] === undefined ? [] : [[key, machine[key]]])));
  return { ...spec, ...ofMachine, ...(spec.ports.length > 0 || !main ? {} : { ports: [...ports], readiness: defaultReadiness(main) }) };
}
