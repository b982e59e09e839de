'use server';

import { refresh } from 'next/cache';
import { askApi, type Outcome } from '../../lib/session/ask-api.ts';

/** Ends an instance, whoever uses it. */
export async function stopServiceVm(id: string): Promise<Outcome<{ readonly operationId: string }>> {
  const outcome = await askApi((api) => api.stopServiceVm(id));
  refresh();
  return outcome;
}

/** Uses an instance for the length of one more lease, so that it stays although nobody else does. */
export async function holdServiceVm(id: string): Promise<Outcome<{ readonly heldSeconds: number }>> {
  const outcome = await askApi(async (api) => ({ heldSeconds: (await api.joinServiceVm(id)).lease.expiresInSeconds }));
  refresh();
  return outcome;
}
