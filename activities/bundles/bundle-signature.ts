import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Type } from 'typebox';
import { parseDocument } from './parse-document.ts';
import { refuse } from './refuse.ts';

/** Second member of a bundle of ours: who vouches for the manifest, and by it for every other member. */
export const signatureName = 'cloudlet-signature.json';

/** 32 or 64 bytes, base64url. */
const encoded = (length: number) => Type.String({ pattern: `^[A-Za-z0-9_-]{${length}}$` });
const BundleSignature = Type.Object({
  algorithm: Type.Literal('ed25519'),
  publicKey: encoded(43),
  signature: encoded(86),
});

/** So that a signature of a bundle is never one of anything else. */
const signedBytes = (manifest: Buffer): Buffer => Buffer.concat([Buffer.from('cloudlet-bundle-v1\0'), manifest]);

export const publicKeyText = (key: KeyObject): string => createPublicKey(key).export({ format: 'jwk' }).x!;

export const signManifest = (manifest: Buffer, key: KeyObject): Buffer =>
  Buffer.from(
    `${JSON.stringify({
      algorithm: 'ed25519',
      publicKey: publicKeyText(key),
      signature: sign(null, signedBytes(manifest), key).toString('base64url'),
    })}\n`,
  );

/**
 * @returns the publisher's key
 * @throws CloudletError `unprocessable-bundle` when the signature is not one of this manifest
 */
export function verifySignature(manifest: Buffer, document: Buffer): string {
  const { publicKey, signature } = parseDocument(signatureName, document, BundleSignature);
  if (!isValid(manifest, publicKey, signature)) throw refuse('its signature is not one of this bundle: somebody changed it');
  return publicKey;
}

function isValid(manifest: Buffer, publicKey: string, signature: string): boolean {
  try {
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' });
    return verify(null, signedBytes(manifest), key, Buffer.from(signature, 'base64url'));
  } catch {
    return false;
  }
}

export const signingKeyPath = (dataDirectory: string): string => join(dataDirectory, 'bundle-signing.key');

/** The key of this cloudlet, for the eyes of our own user only. The first one to ask makes it. */
export async function signingKey(path: string): Promise<KeyObject> {
  const read = async () => createPrivateKey(await readFile(path));
  try {
    return await read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const unfinished = `${path}.${randomUUID()}`;
  const { privateKey } = generateKeyPairSync('ed25519');
  await writeFile(unfinished, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' });
  try {
    await link(unfinished, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(unfinished, { force: true });
  }
  return read();
}
