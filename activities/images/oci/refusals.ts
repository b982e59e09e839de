import { CloudletError } from '../../../workflows/contract/errors.ts';
import type { TarRules } from '../../archives/read-tar.ts';
import type { UnpackLimits } from './unpack-limits.ts';

/** The archive is no container image, or not one that can be read. */
export const unprocessable = (fault: string, cause?: unknown): CloudletError =>
  new CloudletError('unprocessable-bundle', `The container image is refused: ${fault}.`, {}, { cause });

/** The archive is good, and what was said about it is not. */
export const wrongChoice = (message: string): CloudletError => new CloudletError('invalid-input', message);

/** The archive could do harm. */
export const unsafe = (fault: string): CloudletError => new CloudletError('unsafe-image', `The container image is refused: ${fault}.`);

export const wrongDigest = (what: string, expected: string, found: string): CloudletError =>
  new CloudletError(
    'checksum-mismatch',
    `The container image is refused: ${what} should have the digest ${expected} and has ${found}. Save the image again.`,
  );

/** How archives and layers are read. */
export const tarRules = ({ extendedHeaderBytes, attributeBytes }: UnpackLimits): TarRules => ({
  faults: { unprocessable, unsafe },
  extendedHeaderBytes,
  attributeBytes,
  endRequired: false,
});
