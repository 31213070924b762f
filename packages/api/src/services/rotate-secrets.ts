import type { Database } from '@postrider/shared/database/pool';
import { countSealedSecrets, type SealedCount, type SealedKind } from '@postrider/shared/database/queries/count-sealed-secrets';
import { lockSealedSecrets } from '@postrider/shared/database/queries/lock-sealed-secrets';
import { writeSealedSecrets } from '@postrider/shared/database/queries/write-sealed-secrets';
import { retryTransient } from '@postrider/shared/database/retry-transient';
import type { AllTenantsDatabase } from '@postrider/shared/database/tenant-database';
import { massChangeRowsMax } from '@postrider/shared/domain/limits';
import { keyIdOf, SealBrokenError, type SecretsKey, seal, unseal } from '@postrider/shared/secrets/sealed-secret';

/** Values are sealed under keys that are not at hand. Nothing was changed. */
export class KeysMissingError extends Error {
  override readonly name = 'KeysMissingError';
}

export interface RotationOptions {
  /** What is sealed under another key than this, and opens under one that it also opens, is sealed anew under it. */
  readonly key: SecretsKey;
  /** After each batch: how many rows are done so far. */
  readonly onProgress?: (done: number) => void;
  readonly wait: (delayMs: number) => Promise<void>;
}

export interface Rotation {
  /** Rows that were sealed anew. */
  readonly done: number;
  /** Rows with a value that does not open: altered, or copied from elsewhere. They stay as they are. */
  readonly broken: readonly string[];
  /** Rows that others held locked for so long that they were left out. */
  readonly left: number;
}

const kinds: readonly SealedKind[] = ['subscription', 'application_secret', 'service_token'];

/** Whoever holds a row does so for the length of a short transaction. */
const passesMax = 10;
const betweenPassesMs = 500;

/**
 * Seals all secrets anew under another key, while everything goes on: small transactions, and rows that somebody holds are passed over and
 * come later. What is done is recognised by its key, so that a rotation which was broken off goes on where it stood.
 */
export async function rotateSecrets(db: AllTenantsDatabase, options: RotationOptions): Promise<Rotation> {
  checkKeys(options.key, await countSealedSecrets(db));
  const broken = new Set<string>();
  let done = 0;
  let left = 0;
  for (let pass = 1; pass <= passesMax; pass += 1) {
    for (const kind of kinds) {
      done = await rotateKind(db, kind, options, broken, done);
    }
    left = otherThan(options.key, await countSealedSecrets(db)) - broken.size;
    if (left <= 0) {
      break;
    }
    await options.wait(betweenPassesMs);
  }
  return { done, broken: [...broken], left: Math.max(left, 0) };
}

function checkKeys(key: SecretsKey, counts: readonly SealedCount[]): void {
  const known = new Set([key, ...(key.alsoOpens ?? [])].map(({ id }) => id.toString('hex')));
  const unknown = counts.filter(({ key_id: keyId }) => !known.has(keyId));
  if (unknown.length > 0) {
    const found = unknown.map(({ kind, key_id: keyId, count }) => `${count} of kind ${kind} under ${keyId}`).join(', ');
    throw new KeysMissingError(
      `Secrets are sealed under keys that are neither SECRETS_KEY nor in SECRETS_KEYS_ALSO_READ: ${found}. The keys given are ${[...known].join(', ')}. Nothing was changed.`,
    );
  }
}

function otherThan(key: SecretsKey, counts: readonly SealedCount[]): number {
  const keyId = key.id.toString('hex');
  return counts.filter((row) => row.key_id !== keyId).reduce((sum, { count }) => sum + count, 0);
}

async function rotateKind(
  db: AllTenantsDatabase,
  kind: SealedKind,
  options: RotationOptions,
  broken: Set<string>,
  doneBefore: number,
): Promise<number> {
  let done = doneBefore;
  let after: string | null = null;
  for (;;) {
    const from: string | null = after;
    const batch: RotatedBatch = await retryTransient(() =>
      db.transaction((transaction) => rotateBatch(transaction, kind, { key: options.key, after: from, broken })),
    );
    if (batch.last === null) {
      return done;
    }
    done += batch.done;
    after = batch.last;
    options.onProgress?.(done);
  }
}

interface RotatedBatch {
  readonly done: number;
  /** The id of the last row; null when there was none. */
  readonly last: string | null;
}

interface BatchOptions {
  readonly key: SecretsKey;
  readonly after: string | null;
  readonly broken: Set<string>;
}

async function rotateBatch(db: Database, kind: SealedKind, { key, after, broken }: BatchOptions): Promise<RotatedBatch> {
  const rows = await lockSealedSecrets(db, kind, { keyId: key.id, after, limit: massChangeRowsMax });
  let done = 0;
  for (const { id, sealed } of rows) {
    const context = `${kind}:${id}`;
    const resealed = reseal(key, sealed, context);
    if (resealed === null) {
      broken.add(context);
    } else {
      await writeSealedSecrets(db, kind, { id, sealed: resealed });
      done += 1;
    }
  }
  return { done, last: rows.at(-1)?.id ?? null };
}

/** Null when a value does not open. */
function reseal(key: SecretsKey, sealed: readonly Buffer[], context: string): Buffer[] | null {
  try {
    return sealed.map((value) => (keyIdOf(value).equals(key.id) ? value : seal(key, unseal(key, value, context), context)));
  } catch (error) {
    if (error instanceof SealBrokenError) {
      return null;
    }
    throw error;
  }
}
