import type { OpenAttemptCount } from '@postrider/shared/database/queries/count-open-attempts';
import { Gauge, type Registry } from 'prom-client';

/** Counting reads the whole queue, so that scrapes within this time share one count. */
const freshMs = 5000;

export interface QueueGaugesOptions {
  readonly count: () => Promise<OpenAttemptCount[]>;
  readonly onFailure: (error: unknown) => void;
  readonly now: () => number;
}

const lanes: Readonly<Record<number, string>> = { 0: 'normal', 1: 'parked' };

/** Gauges of the queue by pool and lane, counted when they are scraped. While the database is away they keep their last values. */
export function registerQueueGauges(registry: Registry, options: QueueGaugesOptions): void {
  const { count, onFailure, now } = options;
  let counts: Promise<OpenAttemptCount[]> = Promise.resolve([]);
  let countedAtMs = Number.NEGATIVE_INFINITY;

  function fresh(): Promise<OpenAttemptCount[]> {
    if (now() - countedAtMs >= freshMs) {
      const last = counts;
      countedAtMs = now();
      counts = count().catch((error: unknown) => {
        onFailure(error);
        return last;
      });
    }
    return counts;
  }

  const gauges = [
    { name: 'postrider_queue_open_attempts', help: 'Request attempts that are not finished.', read: (row: OpenAttemptCount) => row.open },
    {
      name: 'postrider_queue_due_attempts',
      help: 'Request attempts that may be claimed now and are not.',
      read: (row: OpenAttemptCount) => row.due,
    },
    { name: 'postrider_queue_leased_attempts', help: 'Request attempts that a worker holds.', read: (row: OpenAttemptCount) => row.leased },
    {
      name: 'postrider_queue_oldest_due_age_seconds',
      help: 'How long the oldest attempt that is due and not claimed has waited; 0 when there is none.',
      read: (row: OpenAttemptCount) => row.oldest_due_age_seconds,
    },
  ];
  for (const { name, help, read } of gauges) {
    new Gauge({
      name,
      help,
      labelNames: ['pool', 'lane'],
      registers: [registry],
      async collect() {
        const rows = await fresh();
        this.reset();
        for (const row of rows) {
          this.set({ pool: String(row.pool_id), lane: lanes[row.lane] ?? String(row.lane) }, read(row));
        }
      },
    });
  }
}
