import path from 'node:path';
import type { AssembleContext, AssembledDisk } from '../../../workflows/contract/catalogue.ts';
import { assembleDisk } from '../../../activities/images/guest-disk/assemble-disk.ts';
import type { ExtraFile } from '../../../activities/images/guest-disk/guest-root.ts';

/**
 * Assembles the disk of `cloudlet.sample.echo`.
 * @param options.extraFiles laid over it; an executable file `/srv/cgi/<name>` answers at `/cgi/<name>`
 */
export function assembleEchoDisk(
  context: AssembleContext,
  options: { readonly extraFiles?: readonly ExtraFile[] } = {},
): Promise<AssembledDisk> {
  return assembleDisk(
    { hostname: 'echo', packages: ['lighttpd', 'ipsvd', 'inetutils-inetd'], overlay: path.join(import.meta.dirname, 'root'), ...options },
    context,
  );
}
