import { CloudletError } from '../../workflows/contract/errors.ts';

/** A bundle that is not taken. @param reason what is wrong with it, as the rest of a sentence */
export const refuse = (reason: string, cause?: unknown): CloudletError =>
  new CloudletError('unprocessable-bundle', `The bundle is refused: ${reason}.`, {}, { cause });
