import { type Buckets, TalliedHistogram } from '@postrider/shared/observability/tallies';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

const fastSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const lagSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600];
const batchRows = [1, 2, 5, 10, 20, 50, 100, 200, 300, 500];

/** All metrics of a worker, declared once. Gauges are read when they are scraped. */
export function createMetrics(
  registry: Registry,
  read: { slotsBusy(): number; slotsFree(): number; waiting(): number; deferred(): number; parkedOwned(): number; unrecorded(): number },
) {
  const registers = [registry];
  gauge(registers, 'postrider_worker_slots_busy', 'Deliveries in flight.', read.slotsBusy);
  gauge(registers, 'postrider_worker_slots_free', 'Deliveries that could start now.', read.slotsFree);
  gauge(registers, 'postrider_worker_waiting_attempts', 'Attempts claimed and not started.', read.waiting);
  gauge(registers, 'postrider_worker_deferred_attempts', 'Attempts behind the cap of their subscription.', read.deferred);
  gauge(registers, 'postrider_worker_parked_subscriptions', 'Parked subscriptions that this worker delivers.', read.parkedOwned);
  gauge(registers, 'postrider_worker_unrecorded_outcomes', 'Outcomes that are not in the database yet.', read.unrecorded);
  return {
    ...healthMetrics(registers),
    deliveries: new Counter({
      name: 'postrider_worker_deliveries_total',
      help: 'Request attempts by how they ended: succeeded, retried, gave_up, cancelled.',
      labelNames: ['status'],
      registers,
    }),
    deliveryErrors: new Counter({
      name: 'postrider_worker_delivery_errors_total',
      help: 'Failed request attempts by error name.',
      labelNames: ['error_name'],
      registers,
    }),
    ownFaults: new Counter({
      name: 'postrider_worker_own_faults_total',
      help: 'Request attempts that failed on our side (out of sockets or memory) and did not use up a retry.',
      registers,
    }),
    dnsLookups: new Counter({
      name: 'postrider_worker_dns_lookups_total',
      help: 'Look-ups of host names: hit (remembered), miss (name servers answered), failure (they did not).',
      labelNames: ['result'],
      registers,
    }),
    deliveryDuration: tallied(registers, 'postrider_worker_delivery_duration_seconds', 'From sending a request to its end.', fastSeconds),
    deliveryLag: tallied(registers, 'postrider_worker_delivery_lag_seconds', 'From the due time of an attempt to its claim.', lagSeconds),
    claimDuration: histogram(
      registers,
      'postrider_worker_claim_duration_seconds',
      'Duration of claim statements, with the payloads that they bring.',
      fastSeconds,
    ),
    claimRows: histogram(registers, 'postrider_worker_claim_rows', 'Attempts that a claim returned.', batchRows),
    claimFailures: new Counter({ name: 'postrider_worker_claim_failures_total', help: 'Claims that failed.', registers }),
    recordDuration: histogram(registers, 'postrider_worker_record_duration_seconds', 'Duration of record statements.', fastSeconds),
    recordRows: histogram(registers, 'postrider_worker_record_rows', 'Outcomes that a record statement wrote.', batchRows),
    recordRetries: new Counter({
      name: 'postrider_worker_record_retries_total',
      help: 'Record statements that were sent again because the database was away or refused for a time.',
      registers,
    }),
    leasesExpired: new Counter({
      name: 'postrider_worker_leases_expired_total',
      help: 'Attempts claimed whose earlier lease had run out: their worker died or stood still.',
      registers,
    }),
    leasesLost: new Counter({
      name: 'postrider_worker_leases_lost_total',
      help: 'Attempts that this worker held and found taken when it recorded or renewed them.',
      registers,
    }),
    released: new Counter({
      name: 'postrider_worker_released_attempts_total',
      help: 'Attempts given back to the queue without being started.',
      registers,
    }),
  };
}

function healthMetrics(registers: Registry[]) {
  return {
    parked: new Counter({
      name: 'postrider_worker_subscriptions_parked_total',
      help: 'Subscriptions parked or held by this worker, by reason: rate, over_cap, slow, throttled, retry_after, failing.',
      labelNames: ['reason'],
      registers,
    }),
    unparked: new Counter({
      name: 'postrider_worker_subscriptions_recovered_total',
      help: 'Subscriptions whose attempts this worker brought back to the normal lane.',
      registers,
    }),
    operationalEvents: new Counter({
      name: 'postrider_worker_operational_events_total',
      help: 'Operational events by what became of them: ingested, repeated (told before), failed (what they tell happened all the same).',
      labelNames: ['result'],
      registers,
    }),
  };
}

export type WorkerMetrics = ReturnType<typeof createMetrics>;

function gauge(registers: Registry[], name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers,
    collect() {
      this.set(read());
    },
  });
}

function histogram(registers: Registry[], name: string, help: string, buckets: number[]): Histogram {
  return new Histogram({ name, help, buckets, registers });
}

/** For what is observed with each delivery. */
function tallied(registers: Registry[], name: string, help: string, buckets: number[]): Buckets {
  return new TalliedHistogram({ name, help, buckets, registers }).series({});
}
