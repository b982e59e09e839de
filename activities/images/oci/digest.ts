import { createHash } from 'node:crypto';

/** @returns `sha256:<hex>` */
export const sha256Digest = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
