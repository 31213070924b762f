import { expect, test } from 'vitest';
import { describeOccurrence, operationalEventTypes, type OperationalOccurrence } from './operational-event.ts';

const context = {
  applicationId: 'app',
  description: 'orders',
  targetUrl: 'https://user:word@hooks.example.com:8443/in/s3cret?token=s3cret#s3cret',
  at: new Date('2026-03-04T05:06:07.890Z'),
};
const about = {
  application_id: 'app',
  subscription_id: 'sub',
  description: 'orders',
  target_host: 'hooks.example.com:8443',
  at: '2026-03-04T05:06:07.890Z',
};
const exhausted: OperationalOccurrence = {
  kind: 'delivery_exhausted',
  subscriptionId: 'sub',
  eventId: 'event',
  eventTypeName: 'order.item.created',
  requestAttemptId: 'attempt',
  retryCount: 2,
  errorName: 'E_HTTP',
  httpCode: 500,
};
const held: OperationalOccurrence = {
  kind: 'subscription_held',
  subscriptionId: 'sub',
  reason: 'retry_after',
  holdUntil: new Date('2026-03-04T06:00:00Z'),
};

const cases: readonly (readonly [OperationalOccurrence, string, object])[] = [
  [
    { kind: 'subscription_disabled', subscriptionId: 'sub', reason: 'gone', failingSince: null },
    'postrider.subscription.disabled',
    {
      reason: 'gone',
      failing_since: null,
      why: 'The receiver answered 410: it is gone for good. The subscription is disabled, and what waited for it is cancelled.',
    },
  ],
  [
    { kind: 'subscription_disabled', subscriptionId: 'sub', reason: 'failing', failingSince: new Date('2026-03-01T00:00:00Z') },
    'postrider.subscription.disabled',
    {
      reason: 'failing',
      failing_since: '2026-03-01T00:00:00.000Z',
      why: 'Nothing but failure since 2026-03-01T00:00:00.000Z. The subscription is disabled, and what waited for it is cancelled.',
    },
  ],
  [
    held,
    'postrider.subscription.held',
    {
      reason: 'retry_after',
      hold_until: '2026-03-04T06:00:00.000Z',
      why: 'The receiver answered 429 or 503 and said when to come back. Nothing is sent before 2026-03-04T06:00:00.000Z.',
    },
  ],
  [
    { kind: 'subscription_recovered', subscriptionId: 'sub' },
    'postrider.subscription.recovered',
    { why: 'The receiver takes events again; what waits is sent as usual.' },
  ],
  [
    exhausted,
    'postrider.delivery.exhausted',
    {
      event_id: 'event',
      event_type_name: 'order.item.created',
      request_attempt_id: 'attempt',
      retry_count: 2,
      error_name: 'E_HTTP',
      http_code: 500,
      why: 'Given up after 2 retries: the last one was answered with 500.',
    },
  ],
];

test.each(cases)('says what befell a subscription, of which host and nothing of its secrets: %o', (occurrence, eventTypeName, members) => {
  const event = describeOccurrence(occurrence, context);
  expect(event).toMatchObject({ eventTypeName, labels: { application_id: 'app' } });
  expect(event.payload).toEqual({ ...about, ...members });
  expect(JSON.stringify(event)).not.toMatch(/s3cret|word/);
  expect(operationalEventTypes.map(({ service, resourceType, verb }) => `${service}.${resourceType}.${verb}`)).toContain(eventTypeName);
});

test.each([
  [{ errorName: 'E_TIMEOUT', httpCode: null, retryCount: 1 }, 'Given up after 1 retry: no answer in time.'],
  [{ errorName: 'E_CONNECTION', httpCode: 200, retryCount: 0 }, 'Given up after 0 retries: no connection, or one that broke.'],
  [{ errorName: 'E_OF_LATER', httpCode: null, retryCount: 3 }, 'Given up after 3 retries: it failed.'],
])('says in words why a delivery was given up: %o', (failure, why) => {
  expect(describeOccurrence({ ...exhausted, ...failure }, context).payload.why).toBe(why);
});

test('a target that cannot be read has no host', () => {
  expect(describeOccurrence(held, { ...context, targetUrl: 'not a url' }).payload.target_host).toBeNull();
});

test('the ids of what is told once are the same for the same, once a minute for holds, and forms of UUIDs', () => {
  const idOf = (occurrence: OperationalOccurrence, at = context.at) => describeOccurrence(occurrence, { ...context, at }).eventId;
  const sameMinute = new Date('2026-03-04T05:06:59.999Z');
  const nextMinute = new Date('2026-03-04T05:07:00.000Z');

  expect(idOf(held)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(idOf(held, sameMinute)).toBe(idOf(held));
  expect(idOf(held, nextMinute)).not.toBe(idOf(held));
  expect(idOf({ ...held, subscriptionId: 'other' })).not.toBe(idOf(held));
  expect(idOf({ kind: 'subscription_recovered', subscriptionId: 'sub' })).not.toBe(idOf(held));
  expect(idOf(exhausted, nextMinute)).toBe(idOf(exhausted));
  expect(idOf({ kind: 'subscription_disabled', subscriptionId: 'sub', reason: 'gone', failingSince: null })).toBeNull();
});
