import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { sha256, sha256InBase64 } from '../domain/sha256.ts';

/** The key that seals secrets at rest, and the id by which sealed values name it. */
export interface SecretsKey {
  readonly id: Buffer;
  readonly key: KeyObject;
  /** Further keys that open what they sealed; nothing new is sealed under them. */
  readonly alsoOpens?: readonly SecretsKey[];
}

/** A value was sealed under another key than the one given. */
export class SealedUnderOtherKeyError extends Error {
  override readonly name = 'SealedUnderOtherKeyError';
}

/** A sealed value was altered, cut, or belongs somewhere else. */
export class SealBrokenError extends Error {
  override readonly name = 'SealBrokenError';
}

const version = 1;
const keyBytes = 32;
const keyIdBytes = 8;
const nonceBytes = 12;
const tagBytes = 16;
const headBytes = 1 + keyIdBytes + nonceBytes + tagBytes;

/** Reads a key of 32 bytes in base64; null when it is anything else. */
export function parseSecretsKey(base64: string): SecretsKey | null {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length !== keyBytes || !/^[A-Za-z0-9+/]{43}=?$/.test(base64)) {
    return null;
  }
  return { id: sha256(bytes).subarray(0, keyIdBytes), key: createSecretKey(bytes) };
}

/**
 * Seals a text under AES-256-GCM: a version byte, the key's id, the nonce, the tag and the ciphertext. The context says what the value
 * belongs to, such as `subscription:<id>`: moved elsewhere, it does not open.
 */
export function seal(key: SecretsKey, plaintext: string, context: string): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key.key, nonce).setAAD(Buffer.from(context));
  const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
  return Buffer.concat([Buffer.of(version), key.id, nonce, cipher.getAuthTag(), ciphertext]);
}

/** Opens what `seal` made. Fails with `SealedUnderOtherKeyError` or `SealBrokenError`, neither of which carries any of the value. */
export function unseal(key: SecretsKey, sealed: Buffer, context: string): string {
  if (sealed.length < headBytes || sealed[0] !== version) {
    throw new SealBrokenError('A sealed value has an unknown form.');
  }
  const sealedUnder = keyIdOf(sealed);
  const opening = [key, ...(key.alsoOpens ?? [])].find(({ id }) => id.equals(sealedUnder));
  if (!opening) {
    throw new SealedUnderOtherKeyError(
      `A secret is sealed under the key ${sealedUnder.toString('hex')}, which this process has neither in SECRETS_KEY nor in SECRETS_KEYS_ALSO_READ.`,
    );
  }
  const nonce = sealed.subarray(1 + keyIdBytes, 1 + keyIdBytes + nonceBytes);
  const tag = sealed.subarray(headBytes - tagBytes, headBytes);
  const decipher = createDecipheriv('aes-256-gcm', opening.key, nonce, { authTagLength: tagBytes })
    .setAAD(Buffer.from(context))
    .setAuthTag(tag);
  try {
    return Buffer.concat([decipher.update(sealed.subarray(headBytes)), decipher.final()]).toString('utf8');
  } catch {
    // The cause says nothing but that the tag does not match.
    throw new SealBrokenError('A sealed value does not open: it was altered or belongs to something else.');
  }
}

/** The id of the key that a value of a known form is sealed under. */
export function keyIdOf(sealed: Buffer): Buffer {
  return sealed.subarray(1, 1 + keyIdBytes);
}

/** What a token is looked up by: its SHA-256. Tokens are random, so that no slow hash is needed. */
export function tokenHash(token: string): Buffer {
  return sha256(token);
}

/** The same in base64, by which it is kept in memory. */
export function tokenHashInBase64(token: string): string {
  return sha256InBase64(token);
}
