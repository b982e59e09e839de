import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leaseToken, verifyLeaseToken } from './lease-token.ts';

const key = randomBytes(32);
const uuid = fc.uuid();

describe('a lease token', () => {
  it('names its lease, and is the same whenever it is made', () => {
    fc.assert(
      fc.property(uuid, (leaseId) => {
        const token = leaseToken(key, leaseId);
        expect(token).toMatch(/^cll_[A-Za-z0-9_-]{43}$/);
        expect(leaseToken(key, leaseId)).toBe(token);
        expect(verifyLeaseToken(key, token)).toBe(leaseId);
      }),
    );
  });

  it('does not verify with a single bit flipped', () => {
    const bits = 32 * 8;
    fc.assert(
      fc.property(uuid, fc.integer({ min: 0, max: bits - 1 }), (leaseId, bit) => {
        const bytes = Buffer.from(leaseToken(key, leaseId).slice(4), 'base64url');
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        expect(verifyLeaseToken(key, `cll_${bytes.toString('base64url')}`)).toBeUndefined();
      }),
    );
  });

  it('does not verify with another key', () => {
    fc.assert(
      fc.property(uuid, (leaseId) => {
        expect(verifyLeaseToken(randomBytes(32), leaseToken(key, leaseId))).toBeUndefined();
      }),
    );
  });

  it('is never made of any other text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `cll_${text}`),
        ),
        (text) => {
          expect(verifyLeaseToken(key, text)).toBeUndefined();
        },
      ),
    );
  });

  it('has one spelling: what decodes to the same bytes is refused', () => {
    const token = leaseToken(key, '5f1c4f0e-6d9b-4a6e-9a2e-0d3f3f3b8c11');
    // 32 bytes leave two bits of the last character unused.
    const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const sibling = token.slice(0, -1) + digits[digits.indexOf(token.at(-1)!) ^ 1]!;
    expect(Buffer.from(sibling, 'base64url')).toEqual(Buffer.from(token, 'base64url'));
    for (const spelling of [sibling, `${token}=`, `${token} `, ` ${token}`, `${token}.`]) {
      expect(verifyLeaseToken(key, spelling)).toBeUndefined();
    }
  });
});
