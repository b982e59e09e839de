import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { appFolder, type HostPaths } from '../images/host-paths.ts';

/** Where the files of apps lie: one folder an install, written once. */
export class AppFiles {
  readonly #paths: Pick<HostPaths, 'apps'>;

  constructor(paths: Pick<HostPaths, 'apps'>) {
    this.#paths = paths;
  }

  file(installedBy: string): string {
    return join(appFolder(this.#paths, installedBy), 'file');
  }

  icon(installedBy: string): string {
    return join(appFolder(this.#paths, installedBy), 'icon');
  }

  /** Who downloads one of them still gets all of it. */
  async remove(installedBy: string): Promise<void> {
    await rm(appFolder(this.#paths, installedBy), { recursive: true, force: true });
  }
}
