import type { Service, ServiceVm } from '../../lib/api/bodies.ts';
import { endpoints } from '../../lib/text/endpoints.ts';
import { CopyButton } from '../ui/copy-button.tsx';
import { ExternalLink } from '../ui/external-link.tsx';

interface EndpointListProps {
  readonly serviceVm: ServiceVm;
  /** Tells which port speaks HTTP. */
  readonly service: Service | undefined;
  /** Only the port that stock phones are told. */
  readonly mainOnly?: boolean;
}

/** Where clients reach an instance: to open where a browser can, and to copy. */
export function EndpointList({ serviceVm, service, mainOnly = false }: EndpointListProps) {
  const all = endpoints(serviceVm, service);
  if (all.length === 0) return <span className="text-muted">not yet</span>;
  return (
    <ul className="flex flex-col gap-0.5">
      {all.slice(0, mainOnly ? 1 : undefined).map(({ name, protocol, hostAndPort, url }) => (
        <li key={hostAndPort + protocol} className="flex items-center gap-1">
          {url === undefined ? (
            <span className="font-mono text-[0.8125rem]" title={`${name} (${protocol})`}>
              {hostAndPort}
            </span>
          ) : (
            <ExternalLink href={url} className="min-h-6 font-mono text-[0.8125rem]">
              {hostAndPort}
            </ExternalLink>
          )}
          {protocol === 'udp' && <span className="text-xs text-muted">udp</span>}
          <CopyButton text={hostAndPort} label={`Copy the address ${hostAndPort}`} />
        </li>
      ))}
    </ul>
  );
}
