import { Counter, Histogram, type HistogramConfiguration } from 'prom-client';

/** The value of each label. */
type Labels<T extends string> = Readonly<Record<T, string>>;

/**
 * A counter of what happens thousands of times a second. For each count prom-client checks and joins labels anew: 1.1 us for two counters and a
 * histogram, in a loop of nothing else. Here labels are given once, for a series that counts in plain numbers until the metric is read: 0.06 us.
 */
export class TalliedCounter<T extends string = never> extends Counter<T> {
  readonly #series: { readonly labels: Labels<T>; readonly tally: Tally }[] = [];

  /** Counts for these labels: to be asked for once, and kept. */
  series(labels: Labels<T>): Tally {
    const tally = new Tally();
    this.#series.push({ labels, tally });
    return tally;
  }

  override get(): ReturnType<Counter<T>['get']> {
    for (const { labels, tally } of this.#series) {
      this.inc(labels, tally.take());
    }
    return super.get();
  }
}

class Tally {
  #count = 0;

  inc(): void {
    this.#count += 1;
  }

  /** What was counted since it was last taken. */
  take(): number {
    const count = this.#count;
    this.#count = 0;
    return count;
  }
}

/** A histogram of what happens thousands of times a second, like `TalliedCounter`. It observes by its series only. */
export class TalliedHistogram<T extends string = never> extends Histogram<T> {
  readonly #bounds: readonly number[];
  /** Has no values, and all else that describes this one. */
  readonly #described: Histogram<T>;
  readonly #series: { readonly labels: Labels<T>; readonly buckets: Buckets }[] = [];

  constructor(configuration: HistogramConfiguration<T> & { readonly buckets: number[] }) {
    super(configuration);
    this.#bounds = configuration.buckets;
    this.#described = new Histogram({ ...configuration, registers: [] });
  }

  /** Observes for these labels: to be asked for once, and kept. */
  series(labels: Labels<T>): Buckets {
    const buckets = new Buckets(this.#bounds);
    this.#series.push({ labels, buckets });
    return buckets;
  }

  override async get(): ReturnType<Histogram<T>['get']> {
    const described = await this.#described.get();
    const { name } = described;
    const values = this.#series.flatMap(({ labels, buckets }) => [
      ...buckets.cumulative().map(([le, value]) => ({ metricName: `${name}_bucket`, labels: { le, ...labels }, value })),
      { metricName: `${name}_sum`, labels, value: buckets.sum },
      { metricName: `${name}_count`, labels, value: buckets.count },
    ]);
    return { ...described, values };
  }

  /** What the registry asks for in place of `get` where it writes text. */
  getForPromString(): ReturnType<Histogram<T>['get']> {
    return this.get();
  }
}

class Buckets {
  readonly #bounds: readonly number[];
  /** Of values up to each bound and above the one before; those above all bounds are in `count` alone. */
  readonly #counts: number[];
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  observe(value: number): void {
    this.sum += value;
    this.count += 1;
    for (let at = 0; at < this.#bounds.length; at += 1) {
      if (value <= (this.#bounds[at] ?? 0)) {
        this.#counts[at] = (this.#counts[at] ?? 0) + 1;
        return;
      }
    }
  }

  /** How many values were at most each bound. */
  cumulative(): [bound: number | '+Inf', count: number][] {
    let count = 0;
    return [
      ...this.#bounds.map((bound, at): [number, number] => {
        count += this.#counts[at] ?? 0;
        return [bound, count];
      }),
      ['+Inf', this.count],
    ];
  }
}

export type { Buckets, Tally };
