import type { Buckets, Tally } from '@postrider/shared/observability/tallies';
import type { Logger } from 'pino';
import type { ApiMetrics } from './metrics.ts';
import type { RefusalReason } from './services/ingest-pressure.ts';
import type { RateLimitLayer } from './services/limits/rate-limiter.ts';

/** Under load thousands of requests are refused in a second: the log says it once in so long, the metrics count them all. */
const refusalLogEveryMs = 10_000;

/** What operators hear of the API's work: the only place that counts it. Requests are logged at level debug, failures of ours always. */
export function createReport(logger: Logger, metrics: ApiMetrics, now: () => number) {
  const { answersOf, lookUpsOf } = createSeries(metrics);
  let refusalLoggedAtMs = Number.NEGATIVE_INFINITY;
  return {
    answered(request: { method: string; route: string; status: number; tookMs: number; requestId: string }): void {
      const { method, route, status, tookMs, requestId } = request;
      const answers = answersOf(method, route, status);
      answers.total.inc();
      answers.duration.observe(tookMs / 1000);
      if (logger.isLevelEnabled('debug')) {
        logger.debug({ event: 'request.answered', method, route, status, tookMs: Math.round(tookMs), requestId }, 'request answered');
      }
    },
    failed(error: unknown, request: { requestId: string; method: string; path: string }): void {
      logger.error({ event: 'request.failed', ...request, err: error }, 'a request failed on our side');
    },
    rateLimited(layer: RateLimitLayer): void {
      metrics.rateLimited.inc({ layer });
    },
    rateLimitsFellBack(error: unknown): void {
      logger.warn({ event: 'rate_limits.fell_back', err: error }, 'the database leases no tokens; this instance limits by itself for now');
    },
    groupIngested(group: { events: number; tookMs: number }): void {
      metrics.ingestedEvents.inc(group.events);
      metrics.ingestGroupEvents.observe(group.events);
      metrics.ingestDuration.observe(group.tookMs / 1000);
    },
    groupResent(error: unknown): void {
      metrics.ingestResends.inc();
      logger.warn({ event: 'ingest.resent', err: error }, 'the database did not answer; sending a group of events again');
    },
    refused(reason: RefusalReason): void {
      metrics.ingestRefusals.inc({ reason });
      if (now() - refusalLoggedAtMs >= refusalLogEveryMs) {
        refusalLoggedAtMs = now();
        logger.warn({ event: 'ingest.refused', reason }, 'events are refused with 503; postrider_api_ingest_refusals_total counts them');
      }
    },
    lookedUp(cache: string, result: 'hit' | 'miss'): void {
      lookUpsOf(cache, result).inc();
    },
    listening(isListening: boolean): void {
      metrics.cacheListening.set(isListening ? 1 : 0);
    },
  };
}

export type ApiReport = ReturnType<typeof createReport>;

/** The series of what is counted with each request, made when they are first asked for. */
function createSeries({ requests, requestDuration, cacheLookUps }: ApiMetrics) {
  const durations = new Map<string, Buckets>();
  const answers = new Map<string, { readonly total: Tally; readonly duration: Buckets }>();
  const lookUps = new Map<string, Tally>();
  return {
    answersOf: (method: string, route: string, status: number) =>
      kept(answers, `${method} ${route} ${status}`, () => ({
        total: requests.series({ method, route, status: String(status) }),
        duration: kept(durations, `${method} ${route}`, () => requestDuration.series({ method, route })),
      })),
    lookUpsOf: (cache: string, result: string) => kept(lookUps, `${cache} ${result}`, () => cacheLookUps.series({ cache, result })),
  };
}

/** The value of a key, made the first time. */
function kept<Value>(values: Map<string, Value>, key: string, make: () => Value): Value {
  const known = values.get(key);
  if (known !== undefined) {
    return known;
  }
  const made = make();
  values.set(key, made);
  return made;
}
