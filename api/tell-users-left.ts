import { workflowSignals } from '../temporal/client/workflow-directory.ts';
import type { ApiContext } from './context.ts';

/**
 * Tells an instance that its last user has left. When that does not get through, the host's own sweep finds the
 * instance without users a moment later, so the user who leaves is not troubled with it.
 */
export async function tellUsersLeft({ temporal, log }: ApiContext, serviceVmId: string): Promise<void> {
  try {
    await workflowSignals(temporal).leasesChanged(serviceVmId, { users: 0 });
  } catch (error) {
    log.warn({ serviceVmId, error }, 'An instance was not told that its last user left');
  }
}
