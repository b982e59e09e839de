import { mkdir, rename, rm } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import type { BundleActivities, ImportInput } from '../../workflows/contract/bundle.ts';
import { CloudletError } from '../../workflows/contract/errors.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { bundlePath, preparationFolder, uploadPath } from '../images/host-paths.ts';
import { findExported } from '../store/bundles.ts';
import { claimUpload } from '../store/uploads.ts';
import { asDiskError } from '../run-tool.ts';
import { dropClaims } from '../uploads/end-claims.ts';
import type { BundleContext } from './bundle-context.ts';
import { publicKeyText, signingKey } from './bundle-signature.ts';
import { exportedBundle } from './exported-bundle.ts';
import { inThread } from './in-thread.ts';
import { standaloneFiles } from './standalone-files.ts';
import { takeIn } from './take-in.ts';
import { tellBytes } from './tell-bytes.ts';

/** Of bundles that are no good: nobody wants to try the same bytes again. */
const isRefusal = (error: unknown): boolean =>
  error instanceof CloudletError && ['unprocessable-bundle', 'checksum-mismatch', 'unsafe-image'].includes(error.code);

/** The activities of bundles. Each works in a folder or file named after its operation, and starts it anew when repeated. */
export function createBundleActivities(context: BundleContext): BundleActivities {
  const { paths, store, hypervisor, bundles } = context;
  const hostCpu = cpus()[0]?.model ?? '';

  const fileOf = async ({ source, operationId }: ImportInput): Promise<string> => {
    if (source.kind === 'file') return join(paths.imports, source.file);
    const { id } = await store.transaction((em) => claimUpload(em, source.uploadId, operationId));
    return uploadPath(paths, id);
  };

  return {
    unpackBundle: ({ progress, ...input }) =>
      withHeartbeat(async (signal, heartbeat) => {
        const { operationId, choices } = input;
        const folder = join(paths.incoming, operationId);
        await rm(folder, { recursive: true, force: true });
        await mkdir(folder, { recursive: true });
        const ourKey = publicKeyText(await signingKey(bundles.signingKeyPath));
        const unpacking = {
          file: await fileOf(input),
          folder,
          policy: bundles.policy,
          trustedKeys: [ourKey, ...bundles.trustedPublishers],
          hypervisor: await hypervisor.fingerprint(),
          hostCpu,
        };
        try {
          const bundle = await inThread('unpack', unpacking, { signal, onBytes: tellBytes(store, progress, heartbeat) });
          return await takeIn(context, bundle, choices, folder, signal);
        } catch (error) {
          if (isRefusal(error)) await dropClaims(store, paths, operationId);
          throw asDiskError(error);
        }
      }),

    writeBundle: ({ operationId, serviceId, compression, progress }) =>
      withHeartbeat(async (signal, heartbeat) => {
        const file = bundlePath(paths, operationId);
        const unfinished = `${file}.new`;
        await mkdir(paths.exports, { recursive: true });
        await rm(unfinished, { force: true });
        await signingKey(bundles.signingKeyPath);
        const folder = preparationFolder(paths, operationId);
        await rm(folder, { recursive: true, force: true });
        await mkdir(folder, { recursive: true });
        const exported = await findExported(store, serviceId);
        const files = await standaloneFiles(paths, exported.images, folder, signal);
        const { manifest, contents } = exportedBundle(exported, files, await hypervisor.fingerprint(), hostCpu);
        const { sha256, sizeBytes } = await inThread(
          'pack',
          { file: unfinished, folder: paths.exports, compression, manifest, contents, signingKeyPath: bundles.signingKeyPath },
          { signal, onBytes: tellBytes(store, progress, heartbeat) },
        );
        await rename(unfinished, file);
        await rm(folder, { recursive: true });
        return { imageVersion: exported.number, sha256, sizeBytes };
      }),

    removeBundle: async ({ operationId }) => {
      const file = bundlePath(paths, operationId);
      await rm(preparationFolder(paths, operationId), { recursive: true, force: true });
      await rm(`${file}.new`, { force: true });
      await rm(file, { force: true });
    },
  };
}
