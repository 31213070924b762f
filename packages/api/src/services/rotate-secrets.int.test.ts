import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { countSealedSecrets } from '@postrider/shared/database/queries/count-sealed-secrets';
import { parseSecretsKey, seal, type SecretsKey, unseal } from '@postrider/shared/secrets/sealed-secret';
import { insertApplication, insertSubscription, insertTenancy } from '@postrider/testkit/factories';
import { testSecretsKey } from '@postrider/testkit/postrider-processes';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { KeysMissingError, rotateSecrets } from './rotate-secrets.ts';

let database: TestDatabase;
let before: SecretsKey;
let after: SecretsKey;
let subscriptionId: string;
let secret: string;

beforeEach(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  before = keyOf(testSecretsKey);
  after = { ...keyOf(randomBytes(32).toString('base64')), alsoOpens: [before] };
  const application = await insertApplication(database.admin);
  ({ subscriptionId, secret } = await insertSubscription(database.admin, application));
  await insertTenancy(database.admin, application, subscriptionId);
});
afterEach(() => database.drop());

function keyOf(base64: string): SecretsKey {
  const key = parseSecretsKey(base64);
  if (!key) {
    throw new Error('The text is not a key.');
  }
  return key;
}

async function sealedSecret(): Promise<Buffer> {
  const { rows } = await database.admin.query<{ sealed: Buffer }>({
    text: 'select secret_sealed as sealed from webhook.subscription where subscription_id = $1',
    values: [subscriptionId],
  });
  return rows[0]?.sealed ?? Buffer.alloc(0);
}

async function keysInUse(): Promise<Set<string>> {
  return new Set((await countSealedSecrets(database.db)).map(({ key_id: keyId }) => keyId));
}

test('knows every column that keeps sealed values', async () => {
  const { rows } = await database.admin.query<{ name: string }>({
    text: `select c.oid::regclass || '.' || a.attname as name
           from pg_attribute a join pg_class c on c.oid = a.attrelid
           where a.attname like '%sealed%' and c.relkind in ('r', 'p') and not c.relispartition
           order by 1`,
  });
  expect(rows.map(({ name }) => name)).toEqual([
    'iam.application_secret.token_sealed',
    'iam.service_token.token_sealed',
    'webhook.subscription.previous_secrets_sealed',
    'webhook.subscription.secret_sealed',
  ]);
});

test('seals everything anew, so that the key of before is needed no more', async () => {
  expect(await keysInUse()).toEqual(new Set([before.id.toString('hex')]));
  expect(await rotateSecrets(database.db, { key: after, wait })).toEqual({ done: 3, broken: [], left: 0 });
  expect(await keysInUse()).toEqual(new Set([after.id.toString('hex')]));
  expect(unseal({ id: after.id, key: after.key }, await sealedSecret(), `subscription:${subscriptionId}`)).toBe(secret);
  // Once more there is nothing to do.
  expect(await rotateSecrets(database.db, { key: after, wait })).toEqual({ done: 0, broken: [], left: 0 });
});

test('seals earlier secrets anew that still sign, beside a newer one', async () => {
  const earlier = seal(before, 'earlier', `subscription:${subscriptionId}`);
  await database.admin.query({
    text: `update webhook.subscription set previous_secrets_sealed = array[$1::bytea], previous_secrets_until = array[timestamptz 'infinity']`,
    values: [earlier],
  });
  await rotateSecrets(database.db, { key: after, wait });
  const { rows } = await database.admin.query<{ sealed: Buffer[] }>({
    text: 'select secret_sealed || previous_secrets_sealed as sealed from webhook.subscription',
  });
  expect(rows[0]?.sealed.map((sealed) => unseal({ id: after.id, key: after.key }, sealed, `subscription:${subscriptionId}`))).toEqual([
    secret,
    'earlier',
  ]);
});

test('goes on where it was broken off, over many batches', async () => {
  await database.admin.query({
    text: `insert into iam.service_token (service_token_id, organization_id, name, role, token_hash, token_sealed)
           select gen_random_uuid(), organization_id, name, role, sha256(i::text::bytea), token_sealed
           from iam.service_token, generate_series(1, 2500) as i`,
  });
  // The copies are sealed for another row and do not open, which is found out row by row.
  const stopped = new Error('stopped');
  const interrupted = rotateSecrets(database.db, {
    key: after,
    onProgress() {
      throw stopped;
    },
    wait,
  });
  await expect(interrupted).rejects.toBe(stopped);
  const { done, broken, left } = await rotateSecrets(database.db, { key: after, wait });
  expect([done, broken.length, left]).toEqual([2, 2500, 0]);
});

test('passes over what somebody holds, and comes back for it', async () => {
  const holder = await database.admin.pool.connect();
  try {
    await holder.query('begin');
    await holder.query('select from webhook.subscription for update');
    let released = false;
    const rotation = await rotateSecrets(database.db, {
      key: after,
      async wait() {
        released = true;
        await holder.query('commit');
      },
    });
    expect([rotation, released]).toEqual([{ done: 3, broken: [], left: 0 }, true]);
  } finally {
    holder.release();
  }
});

test('leaves and names what does not open', async () => {
  await database.admin.query({ text: "update webhook.subscription set secret_sealed = secret_sealed || '\\x00'" });
  const sealed = await sealedSecret();
  const rotation = await rotateSecrets(database.db, { key: after, wait });
  expect(rotation).toEqual({ done: 2, broken: [`subscription:${subscriptionId}`], left: 0 });
  expect(await sealedSecret()).toEqual(sealed);
});

test('changes nothing without the key of before', async () => {
  const rotation = rotateSecrets(database.db, { key: { id: after.id, key: after.key }, wait });
  await expect(rotation).rejects.toThrow(KeysMissingError);
  await expect(rotation).rejects.toThrow(`1 of kind subscription under ${before.id.toString('hex')}`);
  expect(await keysInUse()).toEqual(new Set([before.id.toString('hex')]));
});
