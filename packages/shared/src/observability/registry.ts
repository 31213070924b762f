import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** A registry with the metrics of every Node process: memory, CPU, event loop. */
export function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

export interface PoolCounts {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

/** How the connections of a pool are used. */
export function registerDatabaseGauge(registry: Registry, pool: PoolCounts): void {
  new Gauge({
    name: 'postrider_database_connections',
    help: 'Connections of the pool by state: busy, idle; waiting counts requests for one.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      this.set({ state: 'busy' }, pool.totalCount - pool.idleCount);
      this.set({ state: 'idle' }, pool.idleCount);
      this.set({ state: 'waiting' }, pool.waitingCount);
    },
  });
}
