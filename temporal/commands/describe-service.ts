import type { ServiceView } from '../../workflows/contract/http.ts';
import { serviceSpecDefaults, type Egress, type ReadinessProbe } from '../../workflows/contract/service.ts';

/** All that is set of a service, a line each. */
export function describeService(service: ServiceView): string {
  const { serviceId, version, imageVersion, startsBy, trashedUntil, memory, ports } = service;
  const { poolSize, osType, diskGrowthMib } = { ...serviceSpecDefaults, ...service };
  const lines: readonly (readonly [string, string])[] = [
    ['service', serviceId],
    ['version', `${version} ${imageVersion === null ? '(has no image yet)' : `(image ${imageVersion})`}`],
    ['starts by', startsBy.join(', ') || 'nothing yet'],
    ['description', service.description],
    ['tags', service.tags.join(', ')],
    ['ports', ports.map(({ name, protocol, guestPort }) => `${name} ${guestPort}/${protocol}`).join(', ')],
    ['ready', describeReadiness(service.readiness)],
    ['vcpus', String(service.vcpus)],
    ['memory', `${memory.idealMib} MiB, at least ${memory.minimumMib}`],
    ['disk growth', `${diskGrowthMib} MiB at most`],
    ['users', `${service.maximumUsers} at most, beyond them ${service.whenFull === 'another' ? 'another instance' : 'a refusal'}`],
    ['sharing', service.sharing === 'join' ? 'join an instance of others' : 'always own'],
    ['idle', `after ${service.idleSeconds} s without traffic`],
    ['lease', `${service.leaseSeconds} s`],
    ['restart', service.restartPolicy],
    ['egress', describeEgress(service.egress)],
    ['pool', `${poolSize} at most wait ready`],
    ['os', osType],
    ...(trashedUntil === undefined ? [] : [['in the trash', `until ${trashedUntil}`] as const]),
  ];
  const width = Math.max(...lines.map(([name]) => name.length));
  return lines.map(([name, text]) => `${name.padEnd(width)}  ${text}`.trimEnd()).join('\n');
}

function describeReadiness(probe: ReadinessProbe): string {
  if (probe.kind === 'none') return 'as soon as the guest runs';
  const { guestPort, timeoutSeconds } = probe;
  const sign = probe.kind === 'http' ? `GET ${probe.path} on ${guestPort} is answered` : `${guestPort} takes a connection`;
  return `when ${sign}, within ${timeoutSeconds} s`;
}

const describeEgress = (egress: Egress): string =>
  egress.mode === 'none' ? 'none' : [...(egress.internet ? ['internet'] : []), ...egress.allow].join(', ') || 'none';
