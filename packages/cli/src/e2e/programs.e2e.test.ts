import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { ApiClient, type ApplicationSetup, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { startProcess } from '@postrider/testkit/child-process';
import { startApi, testSecretsKey } from '@postrider/testkit/postrider-processes';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { beforeEach, describe, expect, inject, onTestFinished, test } from 'vitest';

// As `pnpm postrider` starts the command line, and as the container image does.
const ways = [
  ['from its sources', ['--conditions=postrider-source', fileURLToPath(new URL('../main.ts', import.meta.url))]],
  ['from its built files', [fileURLToPath(new URL('../../dist/main.js', import.meta.url))]],
] as const;

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  return () => database.drop();
});

async function apiWith(env: Readonly<Record<string, string>> = {}): Promise<ApiClient> {
  const api = await startApi({ databaseUrl: database.runtimeUrl, env: { AUTO_DB_MIGRATION: 'false', ...env } });
  onTestFinished(async () => {
    api.kill('SIGTERM');
    await api.waitForExit();
  });
  return new ApiClient(api.url);
}

/** Runs the command line without an API in its environment. */
async function run(start: readonly string[], args: readonly string[], env: Readonly<Record<string, string>>) {
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

describe.each(ways)('%s', (_way, start) => {
  test('audit verify proves a whole log, and finds an entry that was changed and an end that was cut off', async () => {
    const { organizationId } = await setUpApplication(await apiWith());
    const env = { DATABASE_URL: database.runtimeUrl };

    const whole = await run(start, ['audit', 'verify'], env);
    const [, head = ''] = new RegExp(`^intact  ${organizationId}  (\\d+:[0-9a-f]{64})$`, 'm').exec(whole.output) ?? [];
    const sameHead = await run(start, ['audit', 'verify', organizationId, head], env);
    const longerBefore = await run(start, ['audit', 'verify', organizationId, head.replace(/^\d+/, '99')], env);
    await falsifyEntry(organizationId, 2);
    const changed = await run(start, ['audit', 'verify'], env);

    expect(whole).toMatchObject({ code: 0, output: expect.stringContaining(organizationId) });
    expect(sameHead).toMatchObject({ code: 0, output: `intact  ${organizationId}  ${head}` });
    expect(longerBefore).toMatchObject({ code: 1, output: expect.stringContaining(`BROKEN  ${organizationId}`) });
    expect(changed).toMatchObject({ code: 1, output: expect.stringContaining(`BROKEN  ${organizationId}  entry 2 changed`) });
  });

  test('audit verify says what it needs', async () => {
    expect(await run(start, ['audit', 'verify'], {})).toMatchObject({
      code: 78,
      output: expect.stringContaining('DATABASE_URL: is missing'),
    });
    expect(await run(start, ['audit', 'verify', 'everything'], { DATABASE_URL: database.runtimeUrl })).toMatchObject({
      code: 64,
      output: expect.stringContaining('Usage: verify-audit'),
    });
  });

  test('rotate-key seals all secrets under the new key', async () => {
    const client = await apiWith();
    const setup = await setUpApplication(client);
    await subscribe(setup, 'https://example.com/');
    await client.expect('POST', '/api/v1/service_token', { organization_id: setup.organizationId, name: 'deploy' });
    const secrets = await secretsOf(client, setup);
    const newKey = randomBytes(32).toString('base64');

    const rotated = await run(start, ['rotate-key'], {
      DATABASE_URL: database.runtimeUrl,
      SECRETS_KEY: newKey,
      SECRETS_KEYS_ALSO_READ: testSecretsKey,
    });

    expect(rotated).toMatchObject({ code: 0, output: expect.stringMatching(/^3 sealed anew under the key [0-9a-f]+$/m) });
    expect(await secretsOf(await apiWith({ SECRETS_KEY: newKey }), setup)).toEqual(secrets);
  });

  test('rotate-key says what it needs, and takes no arguments', async () => {
    const env = { DATABASE_URL: database.runtimeUrl, SECRETS_KEY: testSecretsKey };

    expect(await run(start, ['rotate-key'], {})).toMatchObject({ code: 78, output: expect.stringContaining('SECRETS_KEY: is missing') });
    expect(await run(start, ['rotate-key', '--now'], env)).toMatchObject({
      code: 64,
      output: expect.stringContaining('Usage: rotate-key'),
    });
  });
});

/** What the API shows of everything that is sealed. */
async function secretsOf(client: ApiClient, setup: ApplicationSetup): Promise<unknown[]> {
  const [subscription] = await client.list(`/api/v1/subscriptions?application_id=${setup.applicationId}`);
  const [secret] = await client.list(`/api/v1/application_secrets?application_id=${setup.applicationId}`);
  const [token] = await client.list(`/api/v1/service_token?organization_id=${setup.organizationId}`);
  return [subscription?.['secret'], secret?.['token'], token?.['biscuit']];
}
