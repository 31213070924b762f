import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { ApiClient, type ApplicationSetup, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { startProcess } from '@postrider/testkit/child-process';
import { startApi, testSecretsKey } from '@postrider/testkit/postrider-processes';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, onTestFinished, test } from 'vitest';

const built = [fileURLToPath(new URL('../../dist/main.js', import.meta.url))];
/** As `pnpm postrider` starts it. */
const fromSources = ['--conditions=postrider-source', fileURLToPath(new URL('../main.ts', import.meta.url))];

let database: TestDatabase;
let client: ApiClient;
let setup: ApplicationSetup;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
});
beforeEach(async () => {
  client = await apiWith();
  setup = await setUpApplication(client);
});
afterAll(() => database.drop());

async function apiWith(env: Readonly<Record<string, string>> = {}): Promise<ApiClient> {
  const api = await startApi({ databaseUrl: database.runtimeUrl, env: { AUTO_DB_MIGRATION: 'false', ...env } });
  onTestFinished(async () => {
    api.kill('SIGTERM');
    await api.waitForExit();
  });
  return new ApiClient(api.url);
}

/** Runs the command line without an API in its environment. */
async function run(args: readonly string[], env: Readonly<Record<string, string>>, start: readonly string[] = built) {
  const lines: string[] = [];
  const command = startProcess({ command: process.execPath, args: [...start, ...args], env, onLine: (line) => lines.push(line) });
  const code = await command.waitForExit();
  return { code, output: lines.join('\n') };
}

/** As only the owner of the table can: with its guards out of the way. */
async function falsifyEntry(organizationId: string, sequence: number): Promise<void> {
  await database.admin.transaction(async (transaction) => {
    await transaction.query({ text: 'set local session_replication_role = replica' });
    await transaction.query({ text: 'alter table iam.audit_log disable trigger audit_log_append_only' });
    await transaction.query({
      text: "update iam.audit_log set action = 'nothing.happened' where organization_id = $1 and sequence = $2",
      values: [organizationId, sequence],
    });
    await transaction.query({ text: 'alter table iam.audit_log enable always trigger audit_log_append_only' });
  });
}

describe('audit verify', () => {
  test('proves a whole chain, and finds an end that was cut off and an entry that was changed', async () => {
    const { organizationId } = setup;
    const env = { DATABASE_URL: database.runtimeUrl };

    const whole = await run(['audit', 'verify'], env);
    const [, head = ''] = new RegExp(`^intact  ${organizationId}  (\\d+:[0-9a-f]{64})$`, 'm').exec(whole.output) ?? [];
    const sameHead = await run(['audit', 'verify', organizationId, head], env);
    const longerBefore = await run(['audit', 'verify', organizationId, head.replace(/^\d+/, '99')], env);
    await falsifyEntry(organizationId, 2);
    const changed = await run(['audit', 'verify'], env, fromSources);

    expect(whole).toMatchObject({ code: 0, output: expect.stringContaining(organizationId) });
    expect(sameHead).toEqual({ code: 0, output: `intact  ${organizationId}  ${head}` });
    expect(longerBefore).toMatchObject({ code: 1, output: expect.stringContaining(`BROKEN  ${organizationId}`) });
    expect(changed).toMatchObject({ code: 1, output: expect.stringContaining(`BROKEN  ${organizationId}  entry 2 changed`) });
  });

  test('says what it needs', async () => {
    const env = { DATABASE_URL: database.runtimeUrl };

    const missing = await run(['audit', 'verify'], {});
    const nonsense = await run(['audit', 'verify', 'everything'], env);

    expect(missing).toMatchObject({ code: 78, output: expect.stringContaining('DATABASE_URL: is missing') });
    expect(nonsense).toMatchObject({ code: 64, output: expect.stringContaining('Usage: verify-audit') });
  });
});

describe('rotate-key', () => {
  test('seals all secrets under the new key', async () => {
    await subscribe(setup, 'https://example.com/');
    await client.expect('POST', '/api/v1/service_token', { organization_id: setup.organizationId, name: 'deploy' });
    const secrets = await secretsOf(client);
    const newKey = randomBytes(32).toString('base64');
    const env = { DATABASE_URL: database.runtimeUrl, SECRETS_KEY: newKey, SECRETS_KEYS_ALSO_READ: testSecretsKey };

    const rotated = await run(['rotate-key'], env, fromSources);
    const again = await run(['rotate-key'], env);

    expect(rotated).toMatchObject({ code: 0, output: expect.stringMatching(/^[1-9]\d* sealed anew under the key [0-9a-f]+$/m) });
    expect(again).toMatchObject({ code: 0, output: expect.stringMatching(/^0 sealed anew under the key [0-9a-f]+$/m) });
    expect(await secretsOf(await apiWith({ SECRETS_KEY: newKey }))).toEqual(secrets);
  });

  test('says what it needs, and takes no arguments', async () => {
    const missing = await run(['rotate-key'], {});
    const extra = await run(['rotate-key', '--now'], { DATABASE_URL: database.runtimeUrl, SECRETS_KEY: testSecretsKey });

    expect(missing).toMatchObject({ code: 78, output: expect.stringContaining('SECRETS_KEY: is missing') });
    expect(extra).toMatchObject({ code: 64, output: expect.stringContaining('Usage: rotate-key') });
  });
});

/** What an API shows of everything that is sealed. */
async function secretsOf(of: ApiClient): Promise<unknown[]> {
  const [subscription] = await of.list(`/api/v1/subscriptions?application_id=${setup.applicationId}`);
  const [secret] = await of.list(`/api/v1/application_secrets?application_id=${setup.applicationId}`);
  const [token] = await of.list(`/api/v1/service_token?organization_id=${setup.organizationId}`);
  return [subscription?.['secret'], secret?.['token'], token?.['biscuit']];
}
