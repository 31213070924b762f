import type { History } from '@postrider/testkit/history';

/** One request that is measured. */
export interface MeasuredEndpoint {
  readonly name: string;
  readonly path: string;
}

/** What the paths need to know of the database. */
export interface KnownRows {
  readonly history: History;
  readonly eventId: string;
  readonly requestAttemptId: string;
}

/** Every endpoint that reads lists, items and reports, at the start of its list, deep inside it, and with each filter. */
export function endpointsOf({ history, eventId, requestAttemptId }: KnownRows): MeasuredEndpoint[] {
  const { application, eventTypeNames, subscriptions } = history;
  const of = `application_id=${application.applicationId}`;
  const [frequent, other, rare] = eventTypeNames;
  const subscriptionId = subscriptions[1]?.subscriptionId ?? '';
  const events = (name: string, filter = ''): MeasuredEndpoint => ({ name: `events ${name}`, path: `/events?${of}${filter}` });
  const attempts = (name: string, filter = ''): MeasuredEndpoint => ({
    name: `attempts ${name}`,
    path: `/request_attempts?${of}${filter}`,
  });
  return [
    events('newest'),
    events('newest 1,000', '&per_page=1000'),
    events('15 days ago', `&until=${daysAgo(15)}`),
    events('29 days ago', `&until=${daysAgo(28.5)}`),
    events('page 90', '&page=90'),
    events('of a frequent type', `&event_type=${frequent}`),
    events('of a rare type', `&event_type=${rare}`),
    events('of three types', `&event_type=${frequent},${other},${rare}`),
    events('with a frequent label', '&label=tenant=t3'),
    events('with a rare label', '&label=rare=yes'),
    events('with an unknown label', '&label=none=x'),
    events('of a rare type with a rare label', `&event_type=${rare}&label=rare=yes`),
    ...['successful', 'failed', 'partially_failed', 'waiting', 'pending', 'in_progress', 'no_match'].map((status) =>
      events(status, `&status=${status}`),
    ),
    events('successful 29 days ago', `&status=successful&until=${daysAgo(28.5)}`),
    events('failed 29 days ago', `&status=failed&until=${daysAgo(28.5)}`),
    { name: 'event', path: `/events/${eventId}?${of}` },
    { name: 'event deliveries', path: `/events/${eventId}/deliveries?${of}` },
    attempts('newest'),
    attempts('15 days ago', `&max_created_at=${daysAgo(15)}`),
    attempts('of one hour 15 days ago', `&max_created_at=${daysAgo(15)}&min_created_at=${daysAgo(15 + 1 / 24)}`),
    attempts('of an event', `&event_id=${eventId}`),
    attempts('of a subscription', `&subscription_id=${subscriptionId}`),
    attempts('failed of a subscription', `&subscription_id=${subscriptionId}&status=failed`),
    attempts('of a rare type', `&event.event_type_names=${rare}`),
    ...['waiting', 'pending', 'in_progress', 'successful', 'failed'].map((status) => attempts(status, `&status=${status}`)),
    { name: 'attempt', path: `/request_attempts/${requestAttemptId}?${of}` },
    { name: 'response', path: `/responses/${requestAttemptId}?${of}` },
    { name: 'events per day of an application', path: `/events_per_day/application?${of}` },
    { name: 'events per day of an organization', path: `/events_per_day/organization?organization_id=${application.organizationId}` },
    { name: 'application', path: `/applications/${application.applicationId}` },
    { name: 'applications', path: `/applications?organization_id=${application.organizationId}` },
    { name: 'organization', path: `/organizations/${application.organizationId}` },
    { name: 'organizations', path: '/organizations' },
    { name: 'subscriptions', path: `/subscriptions?${of}` },
    { name: 'event types', path: `/event_types?${of}` },
  ];
}

function daysAgo(days: number): string {
  return new Date(Date.now() - days * 24 * 3_600_000).toISOString();
}
