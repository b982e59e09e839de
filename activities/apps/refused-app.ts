import { CloudletError } from '../../workflows/contract/errors.ts';

/** An app that nobody gets to install, with the reason. */
export const refusedApp = (reason: string, cause?: unknown): CloudletError =>
  new CloudletError('unprocessable-app', `The app is refused: ${reason}.`, {}, { cause });

/**
 * Runs a reader of bytes that a stranger may have made: whatever it trips over, a read past their end among it, is
 * their fault.
 * @param what names them, e.g. `its manifest`
 * @throws CloudletError `unprocessable-app`
 */
export function readStrangers<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof CloudletError) throw error;
    throw refusedApp(`${what} cannot be read (${(error as Error).message})`, error);
  }
}
