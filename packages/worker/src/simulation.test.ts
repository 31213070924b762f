import { afterEach, expect, test, vi } from 'vitest';
import { Simulation } from './testing/simulation.ts';

/** Many seeds by hand: `SIMULATION_SEEDS=500 vitest run --project unit packages/worker/src/simulation.test.ts`; one again: `SIMULATION_SEED=7`. */
const firstSeed = Number(process.env['SIMULATION_SEED'] ?? Math.floor(Math.random() * 1e9));
const seedsTotal = process.env['SIMULATION_SEED'] === undefined ? Number(process.env['SIMULATION_SEEDS'] ?? 3) : 1;
const seeds = Array.from({ length: seedsTotal }, (_, index) => firstSeed + index);

afterEach(() => vi.unstubAllGlobals());

test.each(seeds)('receivers of all kinds get what is theirs and no more: seed %d', async (seed) => {
  const simulation = new Simulation(seed);
  for (const [name, value] of Object.entries(simulation.clock.globals)) {
    vi.stubGlobal(name, value);
  }

  const result = await simulation.run();

  vi.unstubAllGlobals();
  expect(result.broken, `SIMULATION_SEED=${seed} plays this again`).toEqual([]);
  expect(result.starts).toBeGreaterThan(1000);
});
