import { ApiClient, type ApplicationSetup, eventOf, setUpApplication } from '@postrider/testkit/api-client';
import { type ApiProcess, startApi } from '@postrider/testkit/postrider-processes';
import * as fc from 'fast-check';

export interface FuzzOptions {
  readonly databaseUrl: string;
  readonly requests: number;
  /** Repeats a run that failed. */
  readonly seed?: number;
}

const paths = [
  '/event',
  '/events/batch',
  '/event_types',
  '/subscriptions',
  '/application_secrets',
  '/events',
  '/request_attempts',
  '/organizations',
  '/applications',
  '/workers',
];

const anything = fc.anything({ maxDepth: 3, withNullPrototype: false }).map((value) => asJson(value));

/** What of a value survives JSON. */
function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? Number(inner) : inner)) ?? 'null');
}

/** Texts that have broken parsers before, beside random ones. */
const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    '\u0000',
    '\ud800',
    "'; drop table event.event; --",
    '%00',
    '../../etc/passwd',
    'é'.repeat(60),
    '2026-13-45T99:99:99Z',
    '-1',
    '1e309',
  ),
);

/**
 * Sends random and broken requests. Whatever they are, the answer is a problem document or a success, never a failure of ours, and the
 * process goes on. Fails with the smallest request that it found otherwise.
 */
export async function runFuzz(options: FuzzOptions): Promise<void> {
  const api = await startApi({ databaseUrl: options.databaseUrl, env: { AUTO_DB_MIGRATION: 'false' } });
  try {
    const setup = await setUpApplication(new ApiClient(api.url));
    await fc.assert(
      fc.asyncProperty(requests(setup), async (request) => {
        await expectNoFailure(api, setup, request);
      }),
      { numRuns: options.requests, ...(options.seed === undefined ? {} : { seed: options.seed }) },
    );
  } finally {
    api.kill('SIGTERM');
    await api.waitForExit();
  }
}

interface FuzzRequest {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

function requests(setup: ApplicationSetup): fc.Arbitrary<FuzzRequest> {
  const brokenPart = fc
    .record({ field: fc.constantFrom(...Object.keys(eventOf(setup)), 'event_id', 'metadata'), value: fc.oneof(anything, texts) })
    .map(({ field, value }) => eventOf(setup, { [field]: value }));
  const brokenEvent = brokenPart.map((body) => ({ method: 'POST', path: '/event', body }));
  const batch = fc.array(fc.oneof(brokenPart, anything, fc.constant(eventOf(setup))), { maxLength: 5 });
  const brokenBatch = batch.map((body) => ({ method: 'POST', path: '/events/batch', body }));
  const brokenLines = fc
    .array(
      fc.oneof(
        batch.map((events) => JSON.stringify(events[0])),
        texts,
      ),
      { maxLength: 5 },
    )
    .map((lines) => ({
      method: 'POST',
      path: '/events/batch',
      body: lines.join('\n'),
      headers: { 'content-type': 'application/x-ndjson' },
    }));
  const anyPost = fc
    .record({ path: fc.constantFrom(...paths), body: fc.oneof(anything, fc.dictionary(texts, anything)) })
    .map(({ path, body }) => ({ method: 'POST', path, body }));
  const anyQuery = fc
    .record({
      path: fc.constantFrom(...paths),
      suffix: texts,
      name: fc.constantFrom('application_id', 'event_id', 'since', 'label', 'page', 'pagination_cursor'),
      value: texts,
    })
    .map(({ path, suffix, name, value }) => ({
      method: 'GET',
      path: `${path}/${encodeURIComponent(suffix.toWellFormed())}?application_id=${setup.applicationId}&${name}=${encodeURIComponent(value.toWellFormed())}`,
      body: undefined,
    }));
  return fc.oneof(brokenEvent, brokenBatch, brokenLines, anyPost, anyQuery);
}

async function expectNoFailure(api: ApiProcess, setup: ApplicationSetup, { method, path, body, headers }: FuzzRequest): Promise<void> {
  const client = new ApiClient(api.url).withToken(setup.secret);
  const answer = await client.call(method, `/api/v1${path}`, body, headers);
  const parts: readonly unknown[] = answer.status === 200 && Array.isArray(answer.body) ? answer.body : [];
  if (answer.status >= 500 || parts.some((part) => Number(Object(part).status) >= 500)) {
    throw new Error(`${method} ${path} with ${JSON.stringify(body)} answered ${answer.status}`);
  }
  if (answer.status >= 400 && answer.headers.get('content-type') !== 'application/problem+json') {
    throw new Error(`${method} ${path} answered ${answer.status} without a problem document`);
  }
}
