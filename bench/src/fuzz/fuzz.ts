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
      fc.asyncProperty(requests(setup), async ({ method, path, body }) => {
        await expectNoFailure(api, setup, { method, path, body });
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
}

function requests(setup: ApplicationSetup): fc.Arbitrary<FuzzRequest> {
  const brokenEvent = fc
    .record({ field: fc.constantFrom(...Object.keys(eventOf(setup)), 'event_id', 'metadata'), value: fc.oneof(anything, texts) })
    .map(({ field, value }) => ({ method: 'POST', path: '/event', body: eventOf(setup, { [field]: value }) }));
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
  return fc.oneof(brokenEvent, anyPost, anyQuery);
}

async function expectNoFailure(api: ApiProcess, setup: ApplicationSetup, { method, path, body }: FuzzRequest): Promise<void> {
  const client = new ApiClient(api.url).withToken(setup.secret);
  const answer = await client.call(method, `/api/v1${path}`, body);
  if (answer.status >= 500) {
    throw new Error(`${method} ${path} with ${JSON.stringify(body)} answered ${answer.status}`);
  }
  if (answer.status >= 400 && answer.headers.get('content-type') !== 'application/problem+json') {
    throw new Error(`${method} ${path} answered ${answer.status} without a problem document`);
  }
}
