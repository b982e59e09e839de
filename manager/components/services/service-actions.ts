'use server';

import { refresh } from 'next/cache';
import type { StartAnswer } from '../../lib/api/bodies.ts';
import { askApi, type Outcome } from '../../lib/session/ask-api.ts';

export interface Started extends Pick<StartAnswer, 'operationId' | 'joined'> {
  readonly serviceVmId: string;
  readonly ready: boolean;
  /** For how long the start holds the instance, if nobody else uses it. */
  readonly heldSeconds: number;
}

/**
 * Gets a Service VM of a service: one that runs, or a new one.
 * @param requestId one for each click: a browser that lost us sends the same request again
 */
export async function startService(serviceId: string, requestId: string): Promise<Outcome<Started>> {
  const outcome = await askApi(async (api) => {
    const { serviceVm, lease, operationId, joined } = await api.startService(serviceId, requestId);
    const ready = serviceVm.state === 'ready';
    return { serviceVmId: serviceVm.id, operationId, joined, ready, heldSeconds: lease.expiresInSeconds };
  });
  refresh();
  return outcome;
}
