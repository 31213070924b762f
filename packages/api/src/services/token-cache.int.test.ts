import { once } from 'node:events';
import { notifyTokensDeleted } from '@postrider/shared/database/queries/notify-tokens-deleted';
import { insertApplication } from '@postrider/testkit/factories';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { createTokenCache } from './token-cache.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
});
afterAll(() => database.drop());

/** A cache that knows an application, and how often it had to ask for it. */
async function givenCache() {
  const { applicationId } = await insertApplication(database.admin);
  const results: string[] = [];
  const report = { lookedUp: (_cache: string, result: string) => void results.push(result), listening() {} };
  const tokens = createTokenCache(database.db, { ttlMs: 60_000, now: () => 0, report });
  tokens.setListening(true);
  await tokens.findApplication(applicationId);
  const ask = async () => {
    await tokens.findApplication(applicationId);
    return results.at(-1);
  };
  return { tokens, ask };
}

/** What this process sends when it changes something. */
async function ownMessage(): Promise<string> {
  const client = new Client({ connectionString: database.superuserUrl });
  await client.connect();
  onTestFinished(() => client.end());
  await client.query('listen postrider_deleted_tokens');
  const heard = once(client, 'notification');
  await notifyTokensDeleted(database.db);
  const [{ payload }] = await heard;
  return String(payload);
}

test('messages of others clear it, own ones do not', async () => {
  const { tokens, ask } = await givenCache();
  tokens.heard(await ownMessage());
  expect(await ask()).toBe('hit');
  tokens.heard('another');
  expect(await ask()).toBe('miss');
});

test('a change of its own clears it before it is answered, also when it fails; then own messages count', async () => {
  const { tokens, ask } = await givenCache();
  await tokens.forgetAfter(Promise.resolve());
  expect([await ask(), await ask()]).toEqual(['miss', 'hit']);
  await expect(tokens.forgetAfter(Promise.reject(new Error('the answer was lost')))).rejects.toThrow('lost');
  expect([await ask(), await ask()]).toEqual(['miss', 'hit']);
  tokens.heard(await ownMessage());
  expect(await ask()).toBe('miss');
});
