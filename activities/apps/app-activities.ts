import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, link, mkdir, rm, writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { AppActivities } from '../../workflows/contract/activities.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { appFolder, uploadPath, type HostPaths } from '../images/host-paths.ts';
import { asDiskError } from '../run-tool.ts';
import { isInstalled } from '../store/apps.ts';
import type { Store } from '../store/store.ts';
import { claimUpload } from '../store/uploads.ts';
import { dropClaims, endClaims } from '../uploads/end-claims.ts';
import { AppFiles } from './app-files.ts';
import { inspectApp } from './inspect-app.ts';

export interface AppContext {
  readonly store: Store;
  readonly paths: HostPaths;
}

/** The activities that make an upload an app. Each works in a folder named after its operation, and begins it anew when repeated. */
export function createAppActivities({ store, paths }: AppContext): AppActivities {
  const files = new AppFiles(paths);
  return {
    prepareApp: ({ operationId, uploadId }) =>
      withHeartbeat(async (signal) => {
        const { id, fileName, sizeBytes, sha256 } = await store.transaction((em) => claimUpload(em, uploadId, operationId));
        const uploaded = uploadPath(paths, id);
        try {
          const { contentType, versionCode, icon, said } = await inspectApp(uploaded, fileName);
          const md5 = await md5Of(uploaded, signal);
          await files.remove(operationId);
          await mkdir(appFolder(paths, operationId), { recursive: true });
          await chmod(uploaded, 0o444);
          await link(uploaded, files.file(operationId));
          if (icon) await writeFile(files.icon(operationId), icon.bytes, { mode: 0o444, flush: true });
          return { fileName, contentType, sizeBytes, sha256, md5, iconType: icon?.contentType ?? null, versionCode, said };
        } catch (error) {
          if (error instanceof CloudletError && error.code === 'unprocessable-app') await dropClaims(store, paths, operationId);
          throw asDiskError(error);
        }
      }),

    discardApp: async ({ operationId }) => {
      await endClaims(store, paths, operationId);
      if (!(await isInstalled(store, operationId))) await rm(appFolder(paths, operationId), { recursive: true, force: true });
    },
  };
}

/** What old phones check a download by. */
async function md5Of(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('md5');
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash, { signal });
  return hash.digest('hex');
}
