import { AggregatorRegistry } from 'prom-client';
import type { ProcessMetrics } from './messages.ts';

/** What only ever grows: kept of processes that have ended, since a sum that shrinks looks like a restart of everything. */
const growing: ReadonlySet<unknown> = new Set(['counter', 'histogram', 'summary']);

/** The metrics of several processes as those of one. */
export interface MergedMetrics {
  /** Remembers what a process said last of itself. */
  update(processNumber: number, metrics: ProcessMetrics): void;
  /** A process has ended: what it counted stays in the sums, what it measured does not. */
  forget(processNumber: number): void;
  /** In the text format of Prometheus, with these of the supervisor itself. */
  render(own: ProcessMetrics): Promise<string>;
}

export function createMergedMetrics(): MergedMetrics {
  const latest = new Map<number, ProcessMetrics>();
  let ended: readonly ProcessMetrics[] = [];

  /** Makes one of all that have ended, so that they take no more room the more there were. */
  async function foldEnded(): Promise<void> {
    const folded = ended;
    if (folded.length > 1) {
      const merged = await AggregatorRegistry.aggregate([...folded]).getMetricsAsJSON();
      // Another fold or a process that ended meanwhile came first: the next one makes it good.
      ended = ended[0] === folded[0] ? [merged.map((metric) => ({ ...metric })), ...ended.slice(folded.length)] : ended;
    }
  }

  return {
    update(processNumber, metrics) {
      latest.set(processNumber, metrics);
    },
    forget(processNumber) {
      const last = latest.get(processNumber);
      latest.delete(processNumber);
      if (last) {
        ended = [...ended, last.filter(({ type }) => growing.has(type))];
      }
    },
    async render(own) {
      await foldEnded();
      return AggregatorRegistry.aggregate([own, ...latest.values(), ...ended]).metrics();
    },
  };
}
