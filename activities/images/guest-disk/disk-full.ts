import { CloudletError } from '../../../workflows/contract/errors.ts';

/** @param detail who could not write, in its own words */
export const diskFull = (detail: string): CloudletError =>
  new CloudletError(
    'capacity-exhausted',
    `The disk of this host is full, so no guest disk can be assembled. Make room and try again. ${detail}`,
    {
      resource: 'disk',
    },
  );

/** Turns Node's own word for a full disk into the cloudlet's. */
export const tellDiskFull = (error: unknown): never => {
  throw error instanceof Error && 'code' in error && error.code === 'ENOSPC' ? diskFull(error.message) : error;
};
