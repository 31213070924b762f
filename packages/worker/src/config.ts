import { hostname } from 'node:os';
import { byteSize, boolean, duration, integer, list, ratio, text, url } from '@postrider/shared/config/setting-kinds';
import { commonSettings } from '@postrider/shared/config/common-settings';
import { loadSettings, type SettingProblem, type SettingSources, type ValuesOf } from '@postrider/shared/config/settings';
import { type ParsedCidr, parseCidr } from '@postrider/shared/domain/forbidden-address';
import { leaseStartMarginMs } from '@postrider/shared/domain/limits';
import { defaultRetrySchedule, type RetrySchedule } from '@postrider/shared/domain/retry-schedule';
import { version } from './version.ts';

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

/** A lease must leave time to start at all: what remains of it beside the request and the margin. */
const startWindowMsMin = 5 * secondMs;

export type SignatureVersion = 'v0' | 'v1' | 'standard';
const signatureVersions: readonly SignatureVersion[] = ['v0', 'v1', 'standard'];

const deliverySettings = {
  concurrent: integer({ name: 'CONCURRENT', group: 'Delivery', description: 'HTTP deliveries in flight.', min: 1, max: 1000 }, 10),
  workerName: text.withDefault(
    {
      name: 'WORKER_NAME',
      group: 'Delivery',
      description: 'A name that is registered as private serves only what is dedicated to it.',
      defaultText: 'host name',
    },
    hostname(),
  ),
  workerVersion: text.withDefault(
    { name: 'WORKER_VERSION', group: 'Delivery', description: 'Shown with each attempt.', defaultText: 'package version' },
    version,
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

/** All settings of a worker. */
export const workerSettings = {
  ...deliverySettings,
  ...retrySettings,
  ...requestSettings,
  ...opsSettings,
  ...commonSettings({ databaseConnectionsMax: 3 }),
};

export type WorkerConfig = ValuesOf<typeof workerSettings>;

/** Reads the settings and checks those that depend on each other; all problems at once. */
export function loadWorkerConfig(
  sources: SettingSources,
): { readonly ok: true; readonly config: WorkerConfig } | { readonly ok: false; readonly problems: SettingProblem[] } {
  const loaded = loadSettings(workerSettings, sources);
  if (!loaded.ok) {
    return loaded;
  }
  const problems = checkTogether(loaded.values);
  return problems.length === 0 ? { ok: true, config: loaded.values } : { ok: false, problems };
}

/** The retry schedule in the form that decisions take. */
export function retryScheduleOf(config: WorkerConfig): RetrySchedule {
  const { maxFastRetries, fastDelayMs, fastMaxDelayMs, maxSlowRetries, slowDelayMs, slowMaxDelayMs, jitterRatio, jitterMaxMs } = config;
  return { maxFastRetries, fastDelayMs, fastMaxDelayMs, maxSlowRetries, slowDelayMs, slowMaxDelayMs, jitterRatio, jitterMaxMs };
}

function checkTogether(config: WorkerConfig): SettingProblem[] {
  const checks: [isFine: boolean, name: string, got: number, wants: string][] = [
    [
      config.leaseMs >= config.timeoutMs + leaseStartMarginMs + startWindowMsMin,
      'LEASE',
      config.leaseMs,
      `at least ${(leaseStartMarginMs + startWindowMsMin) / secondMs}s more than TIMEOUT`,
    ],
    [config.connectTimeoutMs <= config.timeoutMs, 'CONNECT_TIMEOUT', config.connectTimeoutMs, 'at most TIMEOUT'],
    [config.fastDelayMs <= config.fastMaxDelayMs, 'FAST_RETRY_DELAY', config.fastDelayMs, 'at most FAST_RETRY_MAX_DELAY'],
    [config.slowDelayMs <= config.slowMaxDelayMs, 'SLOW_RETRY_DELAY', config.slowDelayMs, 'at most SLOW_RETRY_MAX_DELAY'],
  ];
  return checks.filter(([isFine]) => !isFine).map(([, name, got, wants]) => ({ name, got: `${got}ms`, wants }));
}

function delay(name: string, description: string, defaultMs: number) {
  return duration({ name, group: 'Retries', description, minMs: 0, maxMs: 48 * hourMs }, defaultMs);
}
