import path from 'node:path';
import type { AssembleContext } from '../../../workflows/contract/catalogue.ts';
import { assembleDisk, type AssembledDisk } from '../guest-disk/assemble-disk.ts';
import type { ExtraFile } from '../guest-disk/guest-root.ts';

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
