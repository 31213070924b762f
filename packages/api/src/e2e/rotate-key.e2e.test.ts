import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { ApiClient, type ApplicationSetup, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { startProcess } from '@postrider/testkit/child-process';
import { startApi, testSecretsKey } from '@postrider/testkit/postrider-processes';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterEach, beforeEach, expect, inject, onTestFinished, test } from 'vitest';

const newKey = randomBytes(32).toString('base64');
const changing = { SECRETS_KEY: newKey, SECRETS_KEYS_ALSO_READ: testSecretsKey };

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
});
afterEach(() => database.drop());

async function apiWith(env: Readonly<Record<string, string>>): Promise<ApiClient> {
  const api = await startApi({ databaseUrl: database.runtimeUrl, env: { AUTO_DB_MIGRATION: 'false', ...env } });
  onTestFinished(async () => {
    api.kill('SIGTERM');
    await api.waitForExit();
  });
  return new ApiClient(api.url);
}

async function rotateKey(env: Readonly<Record<string, string>>): Promise<{ code: number | string; output: string }> {
  const lines: string[] = [];
  const command = startProcess({
    command: process.execPath,
    args: [fileURLToPath(new URL('../../dist/rotate-key-cli.js', import.meta.url))],
    env: { DATABASE_URL: database.runtimeUrl, ...env },
    onLine: (line) => lines.push(line),
  });
  const code = await command.waitForExit();
  return { code, output: lines.join('\n') };
}

/** What the API shows of everything that is sealed. */
async function secretsOf(client: ApiClient, setup: ApplicationSetup): Promise<unknown[]> {
  const subscriptions = await client.list(`/api/v1/subscriptions?application_id=${setup.applicationId}`);
  const secrets = await client.list(`/api/v1/application_secrets?application_id=${setup.applicationId}`);
  const tokens = await client.list(`/api/v1/service_token?organization_id=${setup.organizationId}`);
  return [subscriptions.map(({ secret }) => secret), secrets.map(({ token }) => token), tokens.map(({ biscuit }) => biscuit)];
}

test('SECRETS_KEY changes while processes are replaced one by one', async () => {
  // Given processes that read both keys and seal under the old one, and one that is replaced already.
  const first = await apiWith({ SECRETS_KEYS_ALSO_READ: newKey });
  const setup = await setUpApplication(first);
  await first.expect('POST', '/api/v1/service_token', { organization_id: setup.organizationId, name: 'old' });
  await subscribe(setup, 'https://example.com/');
  const second = await apiWith(changing);
  await second.expect('POST', '/api/v1/service_token', { organization_id: setup.organizationId, name: 'new' });
  const secrets = await secretsOf(first, setup);
  expect(await secretsOf(second, setup)).toEqual(secrets);

  // When everything is sealed anew
  expect(await rotateKey(changing)).toMatchObject({ code: 0, output: expect.stringContaining('3 sealed anew under the key') });

  // Then both still read everything, and so does one that has the new key only.
  expect(await secretsOf(first, setup)).toEqual(secrets);
  expect(await secretsOf(second, setup)).toEqual(secrets);
  expect(await secretsOf(await apiWith({ SECRETS_KEY: newKey }), setup)).toEqual(secrets);
});

test('the command says which key is missing or wrong', async () => {
  expect(await rotateKey({})).toMatchObject({ code: 78, output: expect.stringContaining('SECRETS_KEY: is missing') });
  expect(await rotateKey({ SECRETS_KEY: 'short' })).toMatchObject({
    code: 78,
    output: expect.stringContaining('SECRETS_KEY: got "(hidden)"'),
  });
  const client = await apiWith({});
  await setUpApplication(client);
  const wrong = { SECRETS_KEY: newKey, SECRETS_KEYS_ALSO_READ: randomBytes(32).toString('base64') };
  expect(await rotateKey(wrong)).toMatchObject({
    code: 1,
    output: expect.stringMatching(/1 of kind application_secret under [0-9a-f]{16}\. .*Nothing was changed\./),
  });
});
