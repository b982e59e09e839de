'use server';

import { refresh } from 'next/cache';
import { askApi, type Outcome } from '../../lib/session/ask-api.ts';

/** Asks an operation to end, and to undo what it did. */
export async function cancelOperation(id: string): Promise<Outcome<null>> {
  const outcome = await askApi(async (api) => {
    await api.cancelOperation(id);
    return null;
  });
  refresh();
  return outcome;
}
