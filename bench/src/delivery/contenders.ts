import { graphileQueue, type PeerQueue, pgBossQueue, rowByRowQueue } from './peer-queues.ts';
import type { PreparedContender, Surroundings } from './measurement.ts';
import { preparePeer } from './prepare-peer.ts';
import { prepareWorkers } from './prepare-workers.ts';

export const contenderNames = [
  'bare',
  'worker',
  'large-heap',
  'two-workers',
  'four-workers',
  'row-by-row',
  'graphile-worker',
  'pg-boss',
] as const;

export type ContenderName = (typeof contenderNames)[number];

export interface Contender {
  readonly title: string;
  prepare(surroundings: Surroundings): Promise<PreparedContender>;
}

/** The slowest gets a part of the attempts, enough to know how slow. */
const rowByRowShare = 10;

/** Who has a connection per slot needs these many on each until its plans and catalogue are cached. */
export const warmUpPerSlot = 10;

/** The flags that workers ship with keep the heap small. These are what docs/scaling.md advises where rates matter more than memory. */
const largeHeapFlags = ['--max-semi-space-size=16', '--heap-growing-percent=100', '--no-parallel-scavenge', '--no-flush-bytecode'];

export const contenders: Readonly<Record<ContenderName, Contender>> = {
  bare: { title: 'bare undici', prepare: (surroundings) => preparePeer(surroundings, { program: 'bare-sender', queue: null }) },
  worker: workers('Postrider, 1 worker', 1),
  'large-heap': workers('Postrider, 1 worker, large heap', 1, largeHeapFlags),
  'two-workers': workers('Postrider, 2 workers', 2),
  'four-workers': workers('Postrider, 4 workers', 4),
  'row-by-row': peer('row by row', 'row-by-row', rowByRowQueue, rowByRowShare),
  'graphile-worker': peer('graphile-worker', 'graphile-sender', graphileQueue, 1),
  'pg-boss': peer('pg-boss', 'pg-boss-sender', pgBossQueue, 1),
};

/** Whether it is Postrider, not something to compare it with. */
export function isOurs(name: ContenderName): boolean {
  return contenders[name].title.startsWith('Postrider');
}

function workers(title: string, processes: number, nodeFlags?: readonly string[]): Contender {
  return { title, prepare: (surroundings) => prepareWorkers(surroundings, nodeFlags ? { processes, nodeFlags } : { processes }) };
}

function peer(title: string, program: string, queue: PeerQueue, share: number): Contender {
  return {
    title,
    prepare: (surroundings) =>
      preparePeer(
        {
          ...surroundings,
          attempts: Math.ceil(surroundings.attempts / share),
          warmUp: Math.max(Math.ceil(surroundings.warmUp / share), warmUpPerSlot * surroundings.concurrent),
        },
        { program, queue },
      ),
  };
}
