import type { BundlePolicy } from '../../workflows/contract/bundle.ts';
import type { Hypervisor } from '../hypervisor/hypervisor.ts';
import type { HostPaths } from '../images/host-paths.ts';
import type { Store } from '../store/store.ts';

/** What the activities of bundles work with. */
export interface BundleContext {
  readonly hostId: string;
  readonly paths: HostPaths;
  readonly store: Store;
  readonly hypervisor: Pick<Hypervisor, 'fingerprint'>;
  readonly bundles: BundleRules;
}

/** How this cloudlet deals with bundles. */
export interface BundleRules {
  readonly policy: BundlePolicy;
  /** Keys of publishers that we trust beside ourselves. */
  readonly trustedPublishers: readonly string[];
  /** The key that signs what we export. */
  readonly signingKeyPath: string;
}
