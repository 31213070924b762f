import { TalliedCounter, TalliedHistogram } from '@postrider/shared/observability/tallies';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const groupEvents = [1, 2, 5, 10, 20, 50, 100, 200];

/** All metrics of the API, declared once. */
export function createMetrics(registry: Registry) {
  const registers = [registry];
  return {
    requests: new TalliedCounter({
      name: 'postrider_api_requests_total',
      help: 'Requests by method, route and status.',
      labelNames: ['method', 'route', 'status'],
      registers,
    }),
    requestDuration: new TalliedHistogram({
      name: 'postrider_api_request_duration_seconds',
      help: 'From a request to the end of its answer.',
      labelNames: ['method', 'route'],
      buckets: seconds,
      registers,
    }),
    rateLimited: new Counter({
      name: 'postrider_api_rate_limited_total',
      help: 'Requests that were refused by a rate limit: of all clients (global), of an address (ip) or of a token.',
      labelNames: ['layer'],
      registers,
    }),
    ingestedEvents: new Counter({
      name: 'postrider_api_ingest_events_total',
      help: 'Events written to the database, duplicates included.',
      registers,
    }),
    ingestGroupEvents: new Histogram({
      name: 'postrider_api_ingest_group_events',
      help: 'Events that shared an ingest statement.',
      buckets: groupEvents,
      registers,
    }),
    ingestDuration: new Histogram({
      name: 'postrider_api_ingest_duration_seconds',
      help: 'Duration of ingest statements, tries included.',
      buckets: seconds,
      registers,
    }),
    ingestRefusals: new Counter({
      name: 'postrider_api_ingest_refusals_total',
      help: 'Requests to ingest that were answered 503 before anything was written, by reason.',
      labelNames: ['reason'],
      registers,
    }),
    cacheLookUps: new TalliedCounter({
      name: 'postrider_api_cache_look_ups_total',
      help: 'Look-ups of tokens and applications: answered from memory (hit) or by the database (miss).',
      labelNames: ['cache', 'result'],
      registers,
    }),
    cacheListening: new Gauge({
      name: 'postrider_api_cache_listening',
      help: '1 while changes of tokens are heard of at once; while it is 0 nothing is answered from memory.',
      aggregator: 'min',
      registers,
    }),
    ingestResends: new Counter({
      name: 'postrider_api_ingest_resends_total',
      help: 'Ingest groups that were sent again because their connection broke.',
      registers,
    }),
  };
}

export type ApiMetrics = ReturnType<typeof createMetrics>;
