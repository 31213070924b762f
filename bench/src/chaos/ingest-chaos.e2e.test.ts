import { expect, test } from 'vitest';
import { runIngestChaos } from './ingest-chaos.ts';

test('killing the API under load loses, halves and doubles no event', async () => {
  const result = await runIngestChaos({ kills: 3, processes: 2, clients: 16, random: Math.random, print() {} });
  expect(result).toMatchObject({ kills: 3, lost: 0, incomplete: 0, doubled: 0 });
  expect(result.accepted).toBeGreaterThan(100);
});
