import crypto from 'node:crypto';
import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { disableGoneSubscriptions } from '@postrider/shared/database/queries/disable-gone-subscriptions';
import { installationId } from '@postrider/shared/domain/audit-entry';
import { ApiClient, eventOf, setUpApplication, subscribe } from '@postrider/testkit/api-client';
import { eventually } from '@postrider/testkit/eventually';
import { testMasterKey } from '@postrider/testkit/postrider-processes';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createRoutes } from './app.ts';
import { type ServedApi, serveApi } from './testing/serve-api.ts';
import { auditEntries } from './schemas/audit-log.ts';
import { createAudit } from './services/audit.ts';
import { verifyAuditLog } from './services/verify-audit-log.ts';

let database: TestDatabase;
let api: ServedApi;
let master: ApiClient;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  api = await serveApi(database, { authCacheTtlMs: 0 });
  ({ master } = api);
});
afterAll(async () => {
  api.close();
  await database.drop();
});

async function entriesOf(organizationId: string, filter = ''): Promise<Record<string, unknown>[]> {
  return master.list(`/api/v1/audit_log?organization_id=${organizationId}${filter}`);
}

const hush = 'hush-header-value';

function subscriptionPost(applicationId: string): Record<string, unknown> {
  return {
    application_id: applicationId,
    is_enabled: true,
    event_types: ['order.item.created'],
    labels: {},
    target: { type: 'http', method: 'POST', url: 'https://user:hush-password@example.com/hook?key=hush-query', headers: { 'x-key': hush } },
  };
}

/** A walk that succeeds at every operation that changes something, by the name of its route. Each says whose chain it is in. */
async function walk(): Promise<{ readonly done: ReadonlyMap<string, string>; readonly secrets: readonly string[] }> {
  const done = new Map<string, string>();
  const secrets: string[] = [];
  const { organization_id: organization } = await call('organizations.create', 'POST', '/organizations', { name: 'Acme' }, null);
  const organizationId = String(organization);
  done.set('organizations.create', organizationId);

  async function call(name: string, method: string, path: string, body?: unknown, chain: string | null = organizationId) {
    const answer = await master.expect(method, `/api/v1${path}`, body);
    if (chain !== null) {
      done.set(name, chain);
    }
    return answer;
  }

  await call('organizations.update', 'PUT', `/organizations/${organizationId}`, { name: 'Acme Ltd' });
  const post = { organization_id: organizationId, name: 'Shop' };
  const application = String((await call('applications.create', 'POST', '/applications', post))['application_id']);
  await call('applications.update', 'PUT', `/applications/${application}`, { ...post, name: 'Store' });
  const query = `?application_id=${application}`;

  const secret = { application_id: application, name: 'one' };
  const token = String((await call('application_secrets.create', 'POST', '/application_secrets', secret))['token']);
  await call('application_secrets.update', 'PUT', `/application_secrets/${token}`, { ...secret, name: 'two' });
  await call('application_secrets.delete', 'DELETE', `/application_secrets/${token}${query}`);

  const serviceToken = { organization_id: organizationId, name: 'robot' };
  const { token_id: tokenId, biscuit } = await call('service_tokens.create', 'POST', '/service_token', serviceToken);
  await call('service_tokens.update', 'PUT', `/service_token/${String(tokenId)}`, { ...serviceToken, role: 'viewer' });
  await call('service_tokens.delete', 'DELETE', `/service_token/${String(tokenId)}?organization_id=${organizationId}`);
  secrets.push(String(biscuit));

  const eventType = { application_id: application, service: 'order', resource_type: 'item', verb: 'created' };
  await call('event_types.create', 'POST', '/event_types', eventType);
  const subscription = await call('subscriptions.create', 'POST', '/subscriptions', subscriptionPost(application));
  const subscriptionPath = `/subscriptions/${String(subscription['subscription_id'])}`;
  secrets.push(token, String(subscription['secret']), String(subscription['standard_webhooks_secret']));
  await call('subscriptions.pause', 'POST', `${subscriptionPath}/pause`);
  await call('subscriptions.resume', 'POST', `${subscriptionPath}/resume`);
  const rotation = await call('subscriptions.rotate_secret', 'POST', `${subscriptionPath}/rotate_secret`);
  secrets.push(String(rotation['secret']), String(rotation['standard_webhooks_secret']));
  const attempt = (await master.expect('POST', `/api/v1${subscriptionPath}/test`))['request_attempt_id'];
  await call('request_attempts.retry', 'POST', `/request_attempts/${String(attempt)}/retry`, { application_id: application });
  await call('subscriptions.update', 'PUT', subscriptionPath, { ...subscriptionPost(application), is_enabled: false });

  const worker = { name: `worker-${organizationId}`, public: false };
  const workerId = String((await call('workers.create', 'POST', '/workers', worker, installationId))['worker_id']);
  await call('workers.update', 'PUT', `/workers/${workerId}`, { ...worker, description: 'inside' }, installationId);
  await call('organization_workers.assign', 'PUT', `/organizations/${organizationId}/workers/${workerId}`);
  await call('organization_workers.unassign', 'DELETE', `/organizations/${organizationId}/workers/${workerId}`);
  await call('workers.delete', 'DELETE', `/workers/${workerId}`, undefined, installationId);

  const event = {
    application_id: application,
    event_type: 'order.item.created',
    payload: '{"hush-payload":1}',
    payload_content_type: 'application/json',
    occurred_at: '2026-01-01T00:00:00Z',
    labels: {},
  };
  const eventId = String((await master.expect('POST', '/api/v1/event', event))['event_id']);
  await call('events.replay', 'POST', `/events/${eventId}/replay`, { application_id: application });

  await call('subscriptions.delete', 'DELETE', `${subscriptionPath}${query}`);
  await call('event_types.deactivate', 'DELETE', `/event_types/order.item.created${query}`);
  await call('applications.delete', 'DELETE', `/applications/${application}`);
  await call('organizations.delete', 'DELETE', `/organizations/${organizationId}`);
  return { done, secrets };
}

/** Operations that are no GET and leave no entry, each for a reason. */
const notAudited: ReadonlySet<string> = new Set([
  // Events have a log of their own, with the source address and the secret of each.
  'events.ingest',
  'events.ingest_batch',
  'subscriptions.test',
]);

describe('what is recorded', () => {
  test('every operation that changes something writes one entry of its name', async () => {
    const { done } = await walk();

    const changing = createRoutes(api.context).filter((route) => route.method !== 'get' && !route.readOnly && !notAudited.has(route.name));
    const counts = new Map<string, number>();
    for (const { name } of changing) {
      const chain = done.get(name);
      counts.set(name, chain === undefined ? -1 : (await entriesOf(chain, `&action=${name}`)).length);
    }

    // -1: the walk above does not call it; 0: it changes without an entry.
    expect([...counts].filter(([, count]) => count !== 1)).toEqual([]);
    expect(counts.size).toBeGreaterThan(15);
  });

  test('no secret, token, header value or payload is in any entry', async () => {
    const { secrets } = await walk();
    const { rows } = await database.admin.query<{ log: string }>({
      text: 'select string_agg(l::text, chr(10)) as log from iam.audit_log l',
    });
    const log = rows[0]?.log ?? '';
    expect(log).toContain('x-key');
    for (const secret of [...secrets, testMasterKey, 'hush', '3f1c2a52']) {
      expect(log.includes(secret)).toBe(false);
    }
  });

  test('an entry says who, from where, by which request, and what changed', async () => {
    const own = await setUpApplication(master);
    const { rows } = await database.admin.query<{ application_secret_id: string }>({
      text: 'select application_secret_id from iam.application_secret where application_id = $1',
      values: [own.applicationId],
    });
    const subscription = await subscribe(own, 'https://example.com/');
    const put = { ...subscriptionPost(own.applicationId), event_types: [own.eventType], is_enabled: false };
    await own.client.call('PUT', `/api/v1/subscriptions/${subscription.subscriptionId}`, put, { 'x-request-id': 'request-1' });

    const [entry] = await entriesOf(own.organizationId);
    expect(entry).toEqual({
      organization_id: own.organizationId,
      sequence: 5,
      recorded_at: expect.stringMatching(/^\d{4}-.+\.\d{3}Z$/),
      actor: { kind: 'application_secret', id: rows[0]?.application_secret_id },
      ip: '127.0.0.1',
      request_id: 'request-1',
      action: 'subscriptions.update',
      target: { kind: 'subscription', id: subscription.subscriptionId },
      application_id: own.applicationId,
      changes: {
        labels: { from: { tenant: 'acme' }, to: {} },
        target_url: { from: 'https://example.com/', to: 'https://[redacted]@example.com/hook?[redacted]' },
        target_headers: { from: {}, to: { 'x-key': '[redacted]' } },
        disabled_at: { from: null, to: expect.any(String) },
        disabled_reason: { from: null, to: 'by_request' },
      },
      previous_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test('what is asked for again and changes nothing has no entry', async () => {
    const own = await setUpApplication(master);
    const before = await entriesOf(own.organizationId);
    await master.expect('POST', '/api/v1/organizations', { name: 'Other', organization_id: own.organizationId });
    await master.expect('PUT', `/api/v1/organizations/${own.organizationId}`, { name: 'Acme' });
    const eventType = { application_id: own.applicationId, service: 'order', resource_type: 'item', verb: 'created' };
    await own.client.expect('POST', '/api/v1/event_types', eventType);
    expect(await entriesOf(own.organizationId)).toEqual(before);
  });

  test('a subscription whose receiver is gone is disabled by the system', async () => {
    const [first, second] = [await setUpApplication(master), await setUpApplication(master)];
    const gone = await Promise.all(
      Array.from({ length: 20 }, (_, index) => subscribe(index % 2 === 0 ? first : second, 'https://example.com/')),
    );
    const ids = gone.map(({ subscriptionId }) => subscriptionId);

    // Workers that hear of the same receivers at the same time, while their owners change them.
    const [one, other] = await Promise.all([
      disableGoneSubscriptions(database.db, ids),
      disableGoneSubscriptions(database.db, ids.toReversed()),
      ...ids.map((id, index) => {
        const { applicationId, client } = index % 2 === 0 ? first : second;
        return client.call('PUT', `/api/v1/subscriptions/${id}`, { ...subscriptionPost(applicationId), is_enabled: false });
      }),
    ]);

    const bySystem = [
      ...(await entriesOf(first.organizationId, '&action=subscriptions.disable_gone')),
      ...(await entriesOf(second.organizationId, '&action=subscriptions.disable_gone')),
    ];
    expect(bySystem.map((entry) => Object(entry['target']).id).toSorted()).toEqual([...one, ...other].toSorted());
    for (const entry of bySystem) {
      expect(entry).toMatchObject({
        actor: { kind: 'system', id: null },
        ip: null,
        request_id: null,
        changes: { disabled_reason: { from: null, to: 'gone' } },
      });
    }
  });
});

/** Keeps the chain of an organization locked until it is told to let go. */
function holdChain(organizationId: string): { readonly held: Promise<void>; readonly release: () => Promise<void> } {
  const held = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const audit = createAudit({ actor: { kind: 'system', id: null }, ip: null, requestId: null, action: 'test.hold' });
  const holding = database.db.transaction(async (transaction) => {
    await audit(transaction, { owner: { organizationId }, target: { kind: 'test', id: '1' }, before: null, after: {} });
    held.resolve();
    await released.promise;
  });
  return {
    held: held.promise,
    release() {
      released.resolve();
      return holding;
    },
  };
}

async function waitersForChains(): Promise<number> {
  const { rowCount } = await database.admin.query({ text: "select from pg_locks where locktype = 'advisory' and not granted" });
  return rowCount ?? 0;
}

describe('chains that are locked', () => {
  test('workers that disable subscriptions of the same organizations never wait for each other in a circle', async () => {
    const first = await setUpApplication(master);
    const second = await setUpApplication(master);
    const inOrder = [await subscribe(first, 'https://example.com/'), await subscribe(second, 'https://example.com/')];
    const inReverse = [await subscribe(second, 'https://example.com/'), await subscribe(first, 'https://example.com/')];
    const idsOf = (subscriptions: readonly { subscriptionId: string }[]) => subscriptions.map(({ subscriptionId }) => subscriptionId);
    const holder = holdChain(first.organizationId);
    await holder.held;

    const one = disableGoneSubscriptions(database.db, idsOf(inOrder));
    await eventually(async () => (await waitersForChains()) === 1);
    const other = disableGoneSubscriptions(database.db, idsOf(inReverse));
    await eventually(async () => (await waitersForChains()) === 2);
    await holder.release();

    expect(await Promise.all([one, other])).toEqual([expect.arrayContaining(idsOf(inOrder)), expect.arrayContaining(idsOf(inReverse))]);
  });

  test('do not keep events from being ingested', async () => {
    const own = await setUpApplication(master);
    await subscribe(own, 'https://example.com/');
    const holder = holdChain(own.organizationId);
    await holder.held;
    expect(await own.client.call('POST', '/api/v1/event', eventOf(own))).toMatchObject({ status: 201 });
    await holder.release();
  });
});

describe('change and entry', () => {
  test('a change that is refused has no entry', async () => {
    const own = await setUpApplication(master);
    const before = await entriesOf(own.organizationId);
    const unknownType = { ...subscriptionPost(own.applicationId), event_types: ['no.such.type'] };
    expect(await own.client.call('POST', '/api/v1/subscriptions', unknownType)).toMatchObject({ status: 400 });
    expect(await master.call('DELETE', `/api/v1/organizations/${own.organizationId}`)).toMatchObject({ status: 409 });
    expect(await entriesOf(own.organizationId)).toEqual(before);
  });

  test('a change whose entry cannot be written does not happen', async () => {
    const own = await setUpApplication(master);
    const subscription = await subscribe(own, 'https://example.com/');
    await database.admin.query({
      text: `alter table iam.audit_log add constraint audit_log_refused check (organization_id <> '${own.organizationId}') not valid`,
    });
    const application = `/api/v1/applications/${own.applicationId}`;
    const secret = `/api/v1/application_secrets/${own.secret}`;
    const statuses = [
      await master.call('PUT', `/api/v1/organizations/${own.organizationId}`, { name: 'Changed' }),
      await master.call('PUT', application, { organization_id: own.organizationId, name: 'Changed' }),
      await master.call('PUT', secret, { application_id: own.applicationId, name: 'Changed' }),
      await master.call('DELETE', `${secret}?application_id=${own.applicationId}`),
      await master.call('DELETE', `/api/v1/subscriptions/${subscription.subscriptionId}?application_id=${own.applicationId}`),
      await master.call('DELETE', `/api/v1/event_types/${own.eventType}?application_id=${own.applicationId}`),
      await master.call('DELETE', application),
    ].map(({ status }) => status);
    await database.admin.query({ text: 'alter table iam.audit_log drop constraint audit_log_refused' });

    expect(statuses).toEqual([500, 500, 500, 500, 500, 500, 500]);
    expect(await master.expect('GET', `/api/v1/organizations/${own.organizationId}`)).toMatchObject({ name: 'Acme' });
    expect(await master.expect('GET', application)).toMatchObject({ name: 'Shop' });
    expect(await own.client.list(`/api/v1/application_secrets?application_id=${own.applicationId}`)).toMatchObject([{ name: 'Default' }]);
    expect(await own.client.list(`/api/v1/subscriptions?application_id=${own.applicationId}`)).toHaveLength(1);
    expect(await own.client.list(`/api/v1/event_types?application_id=${own.applicationId}`)).toHaveLength(1);
  });
});

describe('GET /audit_log', () => {
  test('lists the newest first, in pages that lose and repeat nothing while more is written', async () => {
    const own = await setUpApplication(master);
    const rename = (name: string) => master.expect('PUT', `/api/v1/organizations/${own.organizationId}`, { name });
    for (let count = 0; count < 110; count += 1) {
      await rename(`Name ${count}`);
    }
    const sequences: number[] = [];
    let path: string | null = `/api/v1/audit_log?organization_id=${own.organizationId}`;
    while (path !== null) {
      const answer = await master.call('GET', path);
      sequences.push(...auditEntries.parse(answer.body).map(({ sequence }) => sequence));
      await rename(`Later ${sequences.length}`);
      const link = /^<(.+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
      path = link === undefined ? null : link.replace(api.url, '');
    }
    expect(sequences).toEqual(Array.from({ length: 113 }, (_, index) => 113 - index));
  });

  test('filters by time, action and application, and names the head of the chain', async () => {
    const own = await setUpApplication(master);
    const [newest, ...older] = await entriesOf(own.organizationId);
    expect([newest, ...older].map((entry) => entry?.['action'])).toEqual([
      'event_types.create',
      'applications.create',
      'organizations.create',
    ]);
    const at = (index: number) => encodeURIComponent(String(older[index]?.['recorded_at']));
    expect(await entriesOf(own.organizationId, '&action=applications.create')).toEqual([older[0]]);
    expect(await entriesOf(own.organizationId, `&application_id=${own.applicationId}`)).toEqual([newest, older[0]]);
    expect(await entriesOf(own.organizationId, `&until=${at(1)}`)).toContainEqual(older[1]);
    expect(await entriesOf(own.organizationId, `&since=${at(0)}`)).toEqual(expect.arrayContaining([newest, older[0]]));
    expect(await entriesOf(own.organizationId, '&since=2999-01-01T00:00:00Z')).toEqual([]);

    const answer = await master.call('GET', `/api/v1/audit_log?organization_id=${own.organizationId}&action=organizations.create`);
    expect(answer.headers.get('audit-log-head')).toBe(`3:${String(newest?.['hash'])}`);
    expect((await master.call('GET', `/api/v1/audit_log?organization_id=${crypto.randomUUID()}`)).headers.get('audit-log-head')).toBeNull();
  });

  test('is not for application secrets', async () => {
    const own = await setUpApplication(master);
    expect(await own.client.call('GET', `/api/v1/audit_log?organization_id=${own.organizationId}`)).toMatchObject({
      status: 403,
      body: { id: 'Forbidden' },
    });
  });

  test.each(['', '?organization_id=x', '?organization_id=ORG&since=x', '?organization_id=ORG&pagination_cursor=x'])(
    'refuses %s',
    async (query) => {
      const path = `/api/v1/audit_log${query.replace('ORG', crypto.randomUUID())}`;
      expect(await master.call('GET', path)).toMatchObject({ status: 422, body: { id: 'Validation' } });
    },
  );

  test('the id of the installation is no organization', async () => {
    const post = { name: 'Acme', organization_id: installationId };
    expect(await master.call('POST', '/api/v1/organizations', post)).toMatchObject({ status: 422, body: { id: 'Validation' } });
  });
});

describe('the documentation', () => {
  const document = readFileSync(new URL('../../../docs/audit-log.md', import.meta.url), 'utf8');
  const block = (language: string) => new RegExp(`\`\`\`${language}\\n(.+?)\`\`\``, 's').exec(document)?.[1] ?? '';

  test('tells how to compute the hashes of an answer in JavaScript', async () => {
    const own = await setUpApplication(master);
    const subscription = await subscribe(own, 'https://example.com/é?a=b', { metadata: { long: 'x', b: 'y"', é: '\u2028' } });
    await own.client.expect('DELETE', `/api/v1/subscriptions/${subscription.subscriptionId}?application_id=${own.applicationId}`);
    const entries = await entriesOf(own.organizationId);
    const hashes: unknown = runInNewContext(`${block('js')}; entries.map(hashOf)`, { crypto, Buffer, entries });
    expect(hashes).toEqual(entries.map(({ hash }) => hash));
    expect(entries).toHaveLength(5);
  });

  test('tells how to compute them in SQL', async () => {
    const own = await setUpApplication(master);
    const { rows } = await database.db.query<{ is_intact: boolean }>({ text: block('sql').replace('...', own.organizationId) });
    expect(rows.map((row) => row.is_intact)).toEqual([true, true, true]);
  });
});

test('all chains are intact after all this', async () => {
  const broken = [];
  let intact = 0;
  for await (const verdict of verifyAuditLog(database.db)) {
    if (verdict.kind === 'broken') {
      broken.push(verdict);
    } else {
      intact += 1;
    }
  }
  expect(broken).toEqual([]);
  expect(intact).toBeGreaterThan(5);
});
