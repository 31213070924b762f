import { Counter, Gauge, type Registry } from 'prom-client';

/** What the supervisor counts of its processes. */
export function createProcessMetrics(registry: Registry, servingCount: () => number) {
  const registers = [registry];
  new Gauge({
    name: 'postrider_api_processes',
    help: 'Processes that serve, where API_PROCESSES is more than one.',
    registers,
    collect() {
      this.set(servingCount());
    },
  });
  return {
    restarts: new Counter({
      name: 'postrider_api_process_restarts_total',
      help: 'Processes that ended by themselves and were replaced.',
      registers,
    }),
  };
}
