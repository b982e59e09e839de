import { CloudletError } from './errors.ts';
import type { NewService } from './http.ts';
import { defaultReadiness } from './image-settings.ts';
import { serviceSpecDefaults, type ServiceSpec } from './service.ts';

/**
 * Fills in what the author of a service left out, and checks what no schema can. Ports that are left to the image of a
 * container stay out, and with them the probe.
 * @throws CloudletError `invalid-input`
 */
export function completeSpec(
  given: Omit<NewService, 'source' | 'save' | 'edit'>,
  { portsFromImage = false }: { readonly portsFromImage?: boolean } = {},
): ServiceSpec {
  const { ports = [] } = given;
  const [main] = ports;
  const memory = given.memory ?? serviceSpecDefaults.memory;
  const spec: ServiceSpec = {
    ...serviceSpecDefaults,
    tags: [],
    readiness: main ? defaultReadiness(main) : { kind: 'none' },
    ...given,
    ports,
    memory,
  };
  const noPorts = ports.length === 0 && !portsFromImage ? [{ pointer: '/body/ports', message: 'is missing' }] : [];
  const errors = [...noPorts, ...specFaults(spec)];
  if (errors.length > 0) {
    throw new CloudletError(
      'invalid-input',
      `The service is not valid: ${errors.map(({ pointer, message }) => `${pointer} ${message}`).join('; ')}.`,
      { errors },
    );
  }
  return spec;
}

function* specFaults({ ports, readiness, memory, egress }: ServiceSpec) {
  if (memory.minimumMib > memory.idealMib) yield { pointer: '/body/memory/minimumMib', message: 'is above idealMib' };
  for (const [index, port] of ports.entries()) {
    const same = ports.findIndex(
      ({ protocol, guestPort, name }) => (protocol === port.protocol && guestPort === port.guestPort) || name === port.name,
    );
    if (same < index) yield { pointer: `/body/ports/${index}`, message: 'repeats the name or the port of an earlier one' };
  }
  if (readiness.kind !== 'none' && !ports.some(({ protocol, guestPort }) => protocol === 'tcp' && guestPort === readiness.guestPort)) {
    yield { pointer: '/body/readiness/guestPort', message: 'is not one of the TCP ports' };
  }
  for (const [index, network] of (egress.mode === 'filtered' ? egress.allow : []).entries()) {
    if (
      network
        .split('/', 1)[0]!
        .split('.')
        .some((octet) => Number(octet) > 255)
    )
      yield { pointer: `/body/egress/allow/${index}`, message: 'is not an IPv4 address or network' };
  }
}
