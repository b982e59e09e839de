import type { CatalogueService } from '../../workflows/contract/catalogue.ts';
import type { HostPaths } from '../images/host-paths.ts';
import type { PortRange } from '../store/ports.ts';
import type { Store } from '../store/store.ts';
import type { Hypervisor } from './hypervisor.ts';

/** What a host's activities work with. */
export interface HostContext {
  readonly hostId: string;
  readonly cloudletId: string;
  readonly domainPrefix: string;
  readonly portRange: PortRange;
  readonly paths: HostPaths;
  readonly store: Store;
  readonly hypervisor: Hypervisor;
  /** Services that plugins bring, by name. */
  readonly catalogue: (serviceId: string) => CatalogueService | undefined;
}

export const domainName = ({ domainPrefix }: Pick<HostContext, 'domainPrefix'>, serviceVmId: string): string => domainPrefix + serviceVmId;
