import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createMergedMetrics } from './merged-metrics.ts';

async function metricsOf(values: { readonly counted: number; readonly measured: number; readonly observed: number }) {
  const registers = [new Registry()];
  new Counter({ name: 'counted_total', help: 'c', labelNames: ['kind'], registers }).inc({ kind: 'one' }, values.counted);
  new Gauge({ name: 'measured', help: 'm', registers }).set(values.measured);
  new Histogram({ name: 'observed', help: 'o', buckets: [1, 10], registers }).observe(values.observed);
  const metrics = await registers[0]?.getMetricsAsJSON();
  // As it arrives from another process.
  return JSON.parse(JSON.stringify(metrics));
}

test('sums what processes count and measure', async () => {
  const merged = createMergedMetrics();
  merged.update(1, await metricsOf({ counted: 2, measured: 10, observed: 0.5 }));
  merged.update(2, await metricsOf({ counted: 3, measured: 20, observed: 5 }));
  const text = await merged.render([]);
  for (const line of [
    'counted_total{kind="one"} 5',
    'measured 30',
    'observed_bucket{le="1"} 1',
    'observed_bucket{le="10"} 2',
    'observed_count 2',
  ]) {
    expect(text).toContain(line);
  }
});

test('keeps what processes counted that have ended, and nothing else of them', async () => {
  const merged = createMergedMetrics();
  for (const counted of [2, 3, 4]) {
    merged.update(1, await metricsOf({ counted, measured: 10, observed: 0.5 }));
    merged.forget(1);
    await merged.render([]);
  }
  const text = await merged.render([]);
  expect(text).toContain('counted_total{kind="one"} 9');
  expect(text).toContain('observed_count 3');
  expect(text).not.toContain('measured');
});
