import { ApiClient } from '@postrider/testkit/api-client';
import { DocumentedAnswers } from '@postrider/testkit/documented-answers';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type ServedApi, serveApi } from '../testing/serve-api.ts';

let database: TestDatabase;
let api: ServedApi;
let anybody: ApiClient;
let document: Record<string, unknown>;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  api = await serveApi(database);
  anybody = new ApiClient(api.url, null);
  document = await anybody.expect('GET', '/api/v1/swagger.json');
});
afterAll(async () => {
  api.close();
  await database.drop();
});

/** What express routes to, as the document writes it. */
function servedOperations(): string[] {
  return api.router.router.stack.flatMap(({ route }) =>
    route === undefined
      ? []
      : route.stack
          .map(({ method }) => method)
          .filter((method) => method !== undefined && method !== '' && method !== 'options')
          .map((method) => `${method.toUpperCase()} ${route.path.replace('/api/v1', '').replaceAll(/:(\w+)/g, '{$1}')}`),
  );
}

test('is valid by the schema of OpenAPI 3.1', async () => {
  const { valid, errors } = await new Validator().validate(document);

  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
});

test('describes every route that is served, and no other', () => {
  const served = servedOperations();

  expect(served.length).toBeGreaterThan(40);
  expect(new DocumentedAnswers(document).operations().toSorted()).toEqual(served.toSorted());
});

test('gives every operation a name of its own, a summary and the shape of its answer', () => {
  const operations = Object.values(Object(document['paths'])).flatMap((path) => Object.values(Object(path)));
  const names = operations.map((operation) => Object(operation).operationId);

  expect(new Set(names).size).toBe(names.length);
  for (const operation of operations) {
    const { summary, responses } = Object(operation);
    const success = Object.keys(responses).find((status) => status.startsWith('2'));
    expect(summary).toMatch(/^\p{Lu}/u);
    expect([success, 'content' in responses[success ?? '']]).toEqual([success, success !== '204']);
  }
});

test.each([
  ['an unknown member', { status: 200, body: { ...instance(), surprise: 1 } }],
  ['a missing member', { status: 200, body: { ...instance(), matomo: undefined } }],
  ['another type', { status: 200, body: { ...instance(), registration_disabled: 'yes' } }],
  ['an unknown status', { status: 201, body: instance() }],
])('an answer with %s is told apart', (_name, answer) => {
  const headers = new Headers({ 'content-type': 'application/json; charset=utf-8' });

  const check = () => new DocumentedAnswers(document).check('GET', '/api/v1/instance', { headers, ...answer });

  expect(check).toThrow('not as documented');
});

function instance(): Record<string, unknown> {
  return {
    biscuit_public_key: '',
    support_email_address: 'help@example.com',
    registration_disabled: true,
    auto_db_migration: true,
    application_secret_compatibility: true,
    quota_enforcement: false,
    password_minimum_length: 12,
    matomo: null,
    formbricks: null,
    cloudflare_turnstile_site_key: null,
  };
}

test('holds an answer that is as documented', async () => {
  const documented = new DocumentedAnswers(document);

  const answer = await new ApiClient(api.url, null, documented.check).call('GET', '/api/v1/instance');

  expect(Object.keys(Object(answer.body)).toSorted()).toEqual(Object.keys(instance()).toSorted());
});

test('is shown on a page that needs no other host and has no inline script', async () => {
  const page = await fetch(`${api.url}/api/v1/docs`);
  const html = await page.text();
  const parts = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => String(path));

  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
  expect(html).not.toMatch(/<script>|<style>|\son\w+=|https?:/);
  expect(parts.length).toBe(5);
  for (const part of parts) {
    const answer = await fetch(`${api.url}${part}`);
    expect([part, answer.status, (await answer.arrayBuffer()).byteLength > 0]).toEqual([part, 200, true]);
  }
  expect(await anybody.call('GET', '/api/v1/docs/../package.json')).toMatchObject({ status: 404 });
  expect(await anybody.call('GET', '/api/v1/docs/..%2fpackage.json')).toMatchObject({ status: 404 });
});
