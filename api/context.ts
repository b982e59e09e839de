import type { Duplex } from 'node:stream';
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { CloudletIdentity } from '../activities/store/cloudlet.ts';
import type { AppFiles } from '../activities/apps/app-files.ts';
import type { UploadFiles } from '../activities/uploads/upload-files.ts';
import type { Store } from '../activities/store/store.ts';
import type { PluginHost } from '../plugins/runtime/plugin-host.ts';
import type { ServiceVmStarter } from '../temporal/client/service-vm-starter.ts';
import type { EventFeed } from './http/event-feed.ts';

/** Exported bundles on this machine. */
export interface BundleFiles {
  path(bundleId: string): string;
  /** Of the key that signs them, base64url. */
  publicKey(): Promise<string>;
}

/** What the routes work with. */
export interface ApiContext {
  readonly store: Store;
  readonly identity: CloudletIdentity;
  readonly temporal: Client;
  readonly starter: ServiceVmStarter;
  readonly plugins: PluginHost;
  readonly uploads: UploadFiles;
  readonly bundles: BundleFiles;
  readonly appFiles: AppFiles;
  readonly feed: EventFeed;
  /** The secret of `DATA_DIR/admin.token`. */
  readonly adminToken: string;
  /** Where people open Temporal UI; undefined where nobody said. */
  readonly temporalUiUrl: string | undefined;
  readonly temporalNamespace: string;
  readonly version: string;
  /** The end of an instance's serial log; undefined where this machine has none. */
  readonly readSerialLog: (serviceVmId: string) => Promise<string | undefined>;
  /** The serial console of a domain, both ways. */
  readonly openConsole: (bootId: string) => Promise<Duplex>;
  /** Part of what an operation wrote to its log, from a byte on, else the end of it; undefined where this machine has none. */
  readonly readOperationLog: (operationId: string, fromByte?: number) => Promise<Buffer | undefined>;
  readonly log: Logger;
}
