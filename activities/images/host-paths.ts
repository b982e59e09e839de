import { join } from 'node:path';

/** Where a host keeps what belongs to images and instances. All of it lies in the data directory. */
export interface HostPaths {
  /** Content-addressed files, read-only. */
  readonly images: string;
  /** What is on its way into `images`; emptied when nobody works on it. */
  readonly incoming: string;
  /** One folder an instance: its disk and, while it is restored, a FIFO. Gone with the instance. */
  readonly instances: string;
  /** Serial logs outlive their instance, so that a failure can be understood. */
  readonly serialLogs: string;
  /** What operations wrote to their logs; they outlive them, too. */
  readonly operationLogs: string;
  /** Where admins put disks that services are to be made of. */
  readonly imports: string;
  /** What admins send: one file an upload, named by its id. */
  readonly uploads: string;
  /** Bundles that wait to be fetched: one file each, named by its id. */
  readonly exports: string;
  /** One folder an install of an app: its file and its icon. */
  readonly apps: string;
  /** Downloaded packages and the like; may vanish at any time. */
  readonly cache: string;
}

export const hostPaths = (dataDirectory: string, importDirectory?: string): HostPaths => ({
  images: join(dataDirectory, 'images', 'sha256'),
  incoming: join(dataDirectory, 'images', 'incoming'),
  instances: join(dataDirectory, 'instances'),
  serialLogs: join(dataDirectory, 'logs', 'service-vms'),
  operationLogs: join(dataDirectory, 'logs', 'operations'),
  imports: importDirectory ?? join(dataDirectory, 'imports'),
  uploads: join(dataDirectory, 'uploads'),
  exports: join(dataDirectory, 'exports'),
  apps: join(dataDirectory, 'apps'),
  cache: join(dataDirectory, 'cache'),
});

export const imagePath = (paths: HostPaths, sha256: string): string => join(paths.images, sha256);
export const uploadPath = (paths: Pick<HostPaths, 'uploads'>, uploadId: string): string => join(paths.uploads, uploadId);
export const bundlePath = (paths: Pick<HostPaths, 'exports'>, bundleId: string): string => join(paths.exports, `${bundleId}.csvm`);
export const appFolder = (paths: Pick<HostPaths, 'apps'>, installedBy: string): string => join(paths.apps, installedBy);
export const instanceFolder = (paths: HostPaths, serviceVmId: string): string => join(paths.instances, serviceVmId);
export const diskPath = (paths: HostPaths, serviceVmId: string): string => join(instanceFolder(paths, serviceVmId), 'disk.qcow2');
export const serialLogPath = (paths: HostPaths, serviceVmId: string): string => join(paths.serialLogs, `${serviceVmId}.log`);
export const operationLogPath = (paths: HostPaths, operationId: string): string => join(paths.operationLogs, `${operationId}.log`);
/** What an operation prepares: gone with it. */
export const preparationFolder = (paths: HostPaths, operationId: string): string => join(paths.incoming, operationId);
export const recipePayloadPath = (paths: HostPaths, operationId: string): string =>
  join(preparationFolder(paths, operationId), 'recipe.tar');
/** Where the disk and the memory of a guest lie while they become images. */
export const incomingDiskPath = (paths: HostPaths, serviceVmId: string): string => join(paths.incoming, `${serviceVmId}.qcow2`);
export const incomingMemoryPath = (paths: HostPaths, serviceVmId: string): string => join(paths.incoming, `${serviceVmId}.save`);
