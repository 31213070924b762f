import { hostname } from 'node:os';
import { loadSettings, type SettingProblem, type SettingSources, type ValuesOf } from '@postrider/shared/config/settings';
import { workerSettingsOf } from '@postrider/shared/config/worker-settings';
import { leaseStartMarginMs } from '@postrider/shared/domain/limits';
import type { RetrySchedule } from '@postrider/shared/domain/retry-schedule';
import { version } from './version.ts';

const secondMs = 1000;

/** A lease must leave time to start at all: what remains of it beside the request and the margin. */
const startWindowMsMin = 5 * secondMs;

/** All settings of a worker. */
export const workerSettings = workerSettingsOf({ workerName: hostname(), workerVersion: version });

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
