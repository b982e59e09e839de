import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * A lease token says which lease and proves that the cloudlet gave it: `cll_` + base64url(lease id, 16 bytes of HMAC).
 * It can be made again from the lease alone, so a client that lost the answer asks once more and gets the same token.
 */
const prefix = 'cll_';
const macBytes = 16;

const mac = (key: Uint8Array, leaseId: Buffer): Buffer =>
  createHmac('sha256', key).update('lease').update(leaseId).digest().subarray(0, macBytes);

export function leaseToken(key: Uint8Array, leaseId: string): string {
  const id = Buffer.from(leaseId.replaceAll('-', ''), 'hex');
  return prefix + Buffer.concat([id, mac(key, id)]).toString('base64url');
}

/** @returns id of the lease, or undefined where the text is not a token that this key made */
export function verifyLeaseToken(key: Uint8Array, token: string): string | undefined {
  if (!token.startsWith(prefix)) return undefined;
  const text = token.slice(prefix.length);
  const bytes = Buffer.from(text, 'base64url');
  // Node decodes other spellings of the same bytes, too; a token has one.
  if (bytes.length !== 16 + macBytes || bytes.toString('base64url') !== text) return undefined;
  const id = bytes.subarray(0, 16);
  if (!timingSafeEqual(bytes.subarray(16), mac(key, id))) return undefined;
  return id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
