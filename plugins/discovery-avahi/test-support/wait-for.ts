import { setTimeout as delay } from 'node:timers/promises';

/** Asks until the answer is yes. @throws after the deadline, naming what did not come */
export async function waitFor(
  condition: () => boolean | Promise<boolean>,
  { what, timeoutMs = 20_000 }: { readonly what: string; readonly timeoutMs?: number },
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain for ${what}`);
    await delay(50);
  }
}
