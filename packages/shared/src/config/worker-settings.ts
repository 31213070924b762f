import { parseCidr, type ParsedCidr } from '../domain/ip-address.ts';
import { defaultRetrySchedule } from '../domain/retry-schedule.ts';
import { commonSettings } from './common-settings.ts';
import { boolean, byteSize, duration, integer, list, optionalInteger, ratio, text, url, uuid } from './setting-kinds.ts';

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

type SignatureVersion = 'v0' | 'v1' | 'standard';
const signatureVersions: readonly SignatureVersion[] = ['v0', 'v1', 'standard'];

/** What a worker finds out of itself, where no setting says it. */
export interface WorkerDefaults {
  readonly workerName: string;
  readonly workerVersion: string;
}

const deliverySettings = {
  concurrent: integer({ name: 'CONCURRENT', group: 'Delivery', description: 'HTTP deliveries in flight.', min: 1, max: 1000 }, 10),
  inFlightPerSubscriptionMax: optionalInteger({
    name: 'MAX_IN_FLIGHT_PER_SUBSCRIPTION',
    group: 'Delivery',
    description: 'Deliveries in flight to one subscription that does not say; its own number wins.',
    defaultText: 'a quarter of the slots',
    min: 1,
    max: 1000,
  }),
  disableFailingAfterMs: duration(
    {
      name: 'DISABLE_FAILING_AFTER',
      group: 'Delivery',
      description: 'A subscription is disabled after nothing but failure for so long.',
      minMs: secondMs,
      maxMs: 365 * 24 * hourMs,
    },
    5 * 24 * hourMs,
  ),
  connectTimeoutMs: duration(
    { name: 'CONNECT_TIMEOUT', group: 'Delivery', description: 'For DNS, connection and TLS handshake.', minMs: 10, maxMs: 5 * minuteMs },
    5 * secondMs,
  ),
  timeoutMs: duration(
    {
      name: 'TIMEOUT',
      group: 'Delivery',
      description: 'For the whole request: DNS, connection, headers and body.',
      minMs: 10,
      maxMs: 10 * minuteMs,
    },
    15 * secondMs,
  ),
  leaseMs: duration(
    {
      name: 'LEASE',
      group: 'Delivery',
      description: 'An attempt belongs to its worker for this long; must exceed the timeout by at least 10 s.',
      minMs: secondMs,
      maxMs: hourMs,
    },
    30 * secondMs,
  ),
  shutdownTimeoutMs: duration(
    {
      name: 'SHUTDOWN_TIMEOUT',
      group: 'Delivery',
      description: 'After SIGTERM, requests in flight may finish for this long.',
      minMs: 0,
      maxMs: hourMs,
    },
    25 * secondMs,
  ),
  responseBodyLimit: byteSize(
    {
      name: 'RESPONSE_BODY_LIMIT',
      group: 'Delivery',
      description: 'The beginning of each response body that is stored.',
      minBytes: 0,
      maxBytes: 1024 * 1024,
    },
    16 * 1024,
  ),
};

const retrySettings = {
  maxFastRetries: integer(
    { name: 'MAX_FAST_RETRIES', group: 'Retries', description: 'Fast retries.', min: 0, max: 1000 },
    defaultRetrySchedule.maxFastRetries,
  ),
  maxSlowRetries: integer(
    { name: 'MAX_SLOW_RETRIES', group: 'Retries', description: 'Slow retries, after the fast ones.', min: 0, max: 1000 },
    defaultRetrySchedule.maxSlowRetries,
  ),
  fastDelayMs: delay('FAST_RETRY_DELAY', 'Before the first fast retry; doubles each time.', defaultRetrySchedule.fastDelayMs),
  fastMaxDelayMs: delay('FAST_RETRY_MAX_DELAY', 'Longest delay of a fast retry.', defaultRetrySchedule.fastMaxDelayMs),
  slowDelayMs: delay('SLOW_RETRY_DELAY', 'Before the first slow retry; doubles each time.', defaultRetrySchedule.slowDelayMs),
  slowMaxDelayMs: delay('SLOW_RETRY_MAX_DELAY', 'Longest delay of a slow retry.', defaultRetrySchedule.slowMaxDelayMs),
  jitterRatio: ratio(
    { name: 'RETRY_JITTER_RATIO', group: 'Retries', description: 'The part of a delay that may be added at random, at least a second.' },
    defaultRetrySchedule.jitterRatio,
  ),
  jitterMaxMs: delay('RETRY_JITTER_MAX', 'Longest random addition.', defaultRetrySchedule.jitterMaxMs),
};

const requestSettings = {
  signatureHeaderName: text.withDefault(
    { name: 'SIGNATURE_HEADER_NAME', group: 'Requests', description: "The header of Hook0's signature." },
    'X-Hook0-Signature',
  ),
  signatureVersions: list<SignatureVersion>(
    {
      name: 'ENABLED_SIGNATURE_VERSIONS',
      group: 'Requests',
      description: 'Signatures that requests carry: `v1` and `v0` are Hook0’s, `standard` is Standard Webhooks.',
    },
    {
      read: (item) => signatureVersions.find((known) => known === item) ?? null,
      wants: `names from ${signatureVersions.join(', ')}, separated by commas`,
      show: (item) => item,
      fallback: ['v1', 'standard'],
    },
  ),
  disableTargetIpCheck: boolean(
    {
      name: 'DISABLE_TARGET_IP_CHECK',
      group: 'Requests',
      description: 'Allows targets on private networks and on this machine. For development.',
    },
    false,
  ),
  allowedTargetCidrs: list<ParsedCidr>(
    {
      name: 'ALLOWED_TARGET_CIDRS',
      group: 'Requests',
      description: 'Private ranges that targets may be in, such as receivers in the same cluster.',
      defaultText: 'none',
    },
    {
      read: parseCidr,
      wants: 'ranges such as 10.1.0.0/16 or fd00::/8, separated by commas',
      show: ([address, bits]) => `${address.toString()}/${bits}`,
      fallback: [],
    },
  ),
  requireHttpsTargets: boolean(
    { name: 'REQUIRE_HTTPS_TARGETS', group: 'Requests', description: 'Refuses targets that are not https.' },
    false,
  ),
};

const opsSettings = {
  operationalEventsApplicationId: uuid.optional({
    name: 'OPERATIONAL_EVENTS_APPLICATION_ID',
    group: 'Operations',
    description:
      'An application of yours that gets an event when a subscription is disabled, held or recovers, and when a delivery is given up.',
  }),
  heartbeatUrl: url.optional({
    name: 'MONITORING_HEARTBEAT_URL',
    group: 'Operations',
    description: 'Pinged while the worker really works: claims succeed and nothing is stuck.',
    defaultText: 'none',
    protocols: ['http:', 'https:'],
    sensitive: true,
  }),
  heartbeatMinPeriodSeconds: integer(
    { name: 'MONITORING_HEARTBEAT_MIN_PERIOD_IN_S', group: 'Operations', description: 'Seconds between pings.', min: 1, max: 86_400 },
    60,
  ),
  opsIp: text.withDefault({ name: 'OPS_IP', group: 'Operations', description: 'Address of the operations server.' }, '127.0.0.1'),
  opsPort: integer(
    {
      name: 'OPS_PORT',
      group: 'Operations',
      description: 'Port of `/health/live`, `/health/ready` and `/metrics`; 0 picks a free one and logs it.',
      min: 0,
      max: 65_535,
    },
    8082,
  ),
};

/** All settings of a worker. The API lists them too, and does not import the worker. */
export function workerSettingsOf(defaults: WorkerDefaults) {
  return {
    ...deliverySettings,
    ...identitySettings(defaults),
    ...retrySettings,
    ...requestSettings,
    ...opsSettings,
    ...commonSettings({ databaseConnectionsMax: 3 }),
  };
}

function identitySettings(defaults: WorkerDefaults) {
  return {
    workerName: text.withDefault(
      {
        name: 'WORKER_NAME',
        group: 'Delivery',
        description: 'A name that is registered as private serves only what is dedicated to it.',
        defaultText: 'host name',
      },
      defaults.workerName,
    ),
    workerVersion: text.withDefault(
      { name: 'WORKER_VERSION', group: 'Delivery', description: 'Shown with each attempt.', defaultText: 'package version' },
      defaults.workerVersion,
    ),
  };
}

function delay(name: string, description: string, defaultMs: number) {
  return duration({ name, group: 'Retries', description, minMs: 0, maxMs: 48 * hourMs }, defaultMs);
}
