import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { GuestConsoles } from '../activities/hypervisor/guest-consoles.ts';
import { bundlePath, hostPaths } from '../activities/images/host-paths.ts';
import { readOperationLog } from '../activities/images/operation-log.ts';
import { readSerialLog } from '../activities/images/serial-log.ts';
import { cloudletIdentity } from '../activities/store/cloudlet.ts';
import { openStore } from '../activities/store/store.ts';
import { publicKeyText, signingKey, signingKeyPath } from '../activities/bundles/bundle-signature.ts';
import { AppFiles } from '../activities/apps/app-files.ts';
import { keepUploadsTidy } from '../activities/uploads/sweep-uploads.ts';
import { maximumUploadBytes, UploadFiles } from '../activities/uploads/upload-files.ts';
import { loadPlugins } from '../plugins/runtime/load-plugins.ts';
import { connectTemporal } from '../temporal/client/connect.ts';
import { ServiceVmStarter } from '../temporal/client/service-vm-starter.ts';
import { configuredPlugins, type RunningConfig } from '../temporal/running-config.ts';
import { createLog } from '../temporal/log.ts';
import { announce } from './announce.ts';
import { buildApp } from './app.ts';
import { adminToken } from './auth/admin-token.ts';
import type { ApiContext } from './context.ts';
import { EventFeed } from './http/event-feed.ts';

/** Time that requests under way get when the server is asked to stop; starts that take longer go on in their workflow. */
const drainMs = 8_000;

/**
 * Serves the API until the signal says stop: then what is under way is finished, and nothing new is taken.
 * @param onReady called once it listens
 */
export async function runApi(config: RunningConfig, signal: AbortSignal, onReady: () => void = () => undefined): Promise<void> {
  const log = createLog('api', config.logLevel);
  const store = await openStore({ databaseUrl: config.databaseUrl, poolSize: 16 });
  const identity = await cloudletIdentity(store, hostname());
  const temporal = connectTemporal({ address: config.temporalAddress, namespace: config.temporalNamespace });
  const plugins = await loadPlugins({ configured: configuredPlugins(config), process: 'api', log });
  const feed = new EventFeed(store, config.databaseUrl, log);
  feed.start();
  const paths = hostPaths(config.dataDir, config.importDir);
  const uploads = new UploadFiles({ store, paths, maximumBytes: maximumUploadBytes(config.maxUploadGib) });

  const consoles = new GuestConsoles(config.libvirtUri);
  const context: ApiContext = {
    store,
    identity,
    temporal,
    starter: new ServiceVmStarter(temporal),
    plugins,
    uploads,
    bundles: {
      path: (bundleId) => bundlePath(paths, bundleId),
      publicKey: async () => publicKeyText(await signingKey(signingKeyPath(config.dataDir))),
    },
    appFiles: new AppFiles(paths),
    feed,
    adminToken: await adminToken(config.dataDir),
    temporalUiUrl: config.temporalUiUrl,
    temporalNamespace: config.temporalNamespace,
    version: await packageVersion(),
    readOperationLog: (operationId, fromByte) => readOperationLog(hostPaths(config.dataDir, config.importDir), operationId, fromByte),
    readSerialLog: (serviceVmId) => readSerialLog(paths, serviceVmId),
    openConsole: (bootId) => consoles.open(bootId),
    log,
  };
  const app = await buildApp(context);
  const tidying = keepUploadsTidy({ store, paths, files: uploads, log }, signal);
  const stopped = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  try {
    await app.listen({
      host: config.apiHost,
      port: config.apiPort,
      listenTextResolver: () => `listening on ${config.apiHost}:${config.apiPort}`,
    });
    const announcement = announce(context, { port: config.apiPort, networkInterface: config.networkAdapter });
    onReady();
    await stopped;
    await announcement.withdraw();
  } finally {
    // Watchers of events never end by themselves, nor do consoles.
    await feed.close();
    await consoles.close();
    const cut = setTimeout(() => app.server.closeAllConnections(), drainMs);
    await app.close();
    clearTimeout(cut);
    await tidying;
    await plugins.stop();
    await temporal.connection.close();
    await store.close();
  }
}

async function packageVersion(): Promise<string> {
  const text = await readFile(join(import.meta.dirname, '..', 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
