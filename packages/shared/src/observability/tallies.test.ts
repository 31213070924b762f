import { Counter, Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { TalliedCounter, TalliedHistogram } from './tallies.ts';

const counted = { name: 'counted_total', help: 'Counted.', labelNames: ['kind', 'size'] as const };
const observed = { name: 'observed_seconds', help: 'Observed.', labelNames: ['kind'] as const, buckets: [0.5, 1, 10] };

/** What one process sends to another. */
async function sent(registry: Registry): Promise<unknown> {
  const metrics = await registry.getMetricsAsJSON();
  return metrics.map((metric) => ({ ...metric, values: 'values' in metric ? metric.values.map(sample) : [] }));
}

function sample({ labels, value, metricName }: { labels: object; value: number; metricName?: string }) {
  return { labels, value, metricName };
}

/** Values on, between and beyond the bounds. */
const values = [0, 0.5, 0.75, 1, 9.99, 10, 11];

test('counts and observes as prom-client does, in text and from process to process', async () => {
  const [theirs, ours] = [new Registry(), new Registry()];
  const counter = new Counter({ ...counted, registers: [theirs] });
  const histogram = new Histogram({ ...observed, registers: [theirs] });
  const tallied = new TalliedCounter({ ...counted, registers: [ours] });
  const talliedHistogram = new TalliedHistogram({ ...observed, registers: [ours] });
  for (const kind of ['a', 'b']) {
    const tally = tallied.series({ kind, size: 'large' });
    const buckets = talliedHistogram.series({ kind });
    for (const value of values) {
      counter.inc({ kind, size: 'large' });
      histogram.observe({ kind }, value);
      tally.inc();
      buckets.observe(value);
    }
    // Read in between: nothing is counted twice.
    expect(await ours.metrics()).toBe(await theirs.metrics());
  }
  expect(await sent(ours)).toEqual(await sent(theirs));
});

test('shows a series without labels before anything is observed', async () => {
  const registry = new Registry();
  new TalliedHistogram({ name: 'observed_seconds', help: 'Observed.', buckets: [1], registers: [registry] }).series({});
  expect(await registry.metrics()).toContain('observed_seconds_count 0');
});
