import { rm } from 'node:fs/promises';
import { incomingDiskPath, incomingMemoryPath, instanceFolder } from '../images/host-paths.ts';
import { unfilterGuest, filteredUid } from '../network/egress.ts';
import { findInstance } from '../store/instances.ts';
import { domainName, type HostContext } from './host-context.ts';

/** Ends an instance's guest, and what it was allowed on the network. Fine when there is none. */
export async function endGuest(context: HostContext, serviceVmId: string): Promise<void> {
  await context.hypervisor.destroyDomain(domainName(context, serviceVmId));
  const instance = await findInstance(context.store, serviceVmId);
  const uid = instance && filteredUid(instance.ports);
  if (uid !== undefined) await unfilterGuest(context.domainPrefix, uid);
}

/** Removes an instance's files, its serial log excepted. Fine when there are none. */
export async function removeInstanceFiles({ paths }: Pick<HostContext, 'paths'>, serviceVmId: string): Promise<void> {
  for (const path of [instanceFolder(paths, serviceVmId), incomingDiskPath(paths, serviceVmId), incomingMemoryPath(paths, serviceVmId)]) {
    await rm(path, { recursive: true, force: true });
  }
}
