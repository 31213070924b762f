import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type LogLine, type ManagedProcess, startProcess } from '@postrider/testkit/child-process';
import type { TestDatabase } from '@postrider/testkit/test-database';
import { stopProcess } from '../clean-up.ts';
import {
  afterBacklog,
  beforeBacklog,
  countConnectionsDuring,
  type Measurement,
  type PreparedContender,
  startReading,
  type Surroundings,
} from './measurement.ts';
import type { PeerQueue } from './peer-queues.ts';

export interface PeerProgram {
  /** The file beside this one. */
  readonly program: string;
  /** Null: it sends without one. */
  readonly queue: PeerQueue | null;
}

/** The queue of a peer and the database that it is in. */
interface Place {
  readonly queue: PeerQueue;
  readonly database: TestDatabase;
}

const timeoutMs = 600_000;
/** What backends take to end after their client did; only then are they counted. */
const backendsEndWithinMs = 500;

/** One process of a peer: it works off a backlog to warm up, and another one whenever it is measured. */
export async function preparePeer(surroundings: Surroundings, { program, queue }: PeerProgram): Promise<PreparedContender> {
  const { server, sink, warmUp } = surroundings;
  const place = queue && { queue, database: await server.createDatabase() };
  if (place) {
    await place.queue.prepare(place.database);
    await place.queue.insert(place.database, 'warm_up', warmUp, sink);
    await afterBacklog(place.database);
  }
  const child = startPeer(program, place?.database ?? null, surroundings);
  await child.waitForLog((line) => line['event'] === 'peer.warm', timeoutMs);
  if (place) {
    await clearStored(place, warmUp);
  }
  let turns = 0;
  return {
    async measure() {
      turns += 1;
      return measurePeer(surroundings, child, place, turns);
    },
    async stop() {
      await stopProcess(child);
      await place?.database.drop();
    },
  };
}

async function measurePeer(surroundings: Surroundings, child: ManagedProcess, place: Place | null, turn: number): Promise<Measurement> {
  const { sink, attempts } = surroundings;
  if (place) {
    await beforeBacklog(place.database);
    await place.queue.insert(place.database, 'measured', attempts, sink);
    await afterBacklog(place.database);
  }

  const reading = await startReading(surroundings, place?.database ?? null);
  const finished = child.waitForLog((line) => line['event'] === 'peer.finished' && line['turn'] === turn, timeoutMs);
  child.kill('SIGUSR2');
  const connections = place ? await countConnectionsDuring(place.database, finished) : null;
  const line = await finished;
  await wait(backendsEndWithinMs);
  const used = await reading.end({ deliveries: attempts, senderCpuMicros: numberIn(line, 'cpuMicros') });
  if (place) {
    await clearStored(place, attempts);
  }
  return {
    ...used,
    perSecond: attempts / numberIn(line, 'seconds'),
    peakMemoryMiB: numberIn(line, 'peakMemoryMiB'),
    connections,
  };
}

function numberIn(line: LogLine, name: string): number {
  return Number(line[name]);
}

/** Sees whether all deliveries are complete, and takes them away, so that the next backlog finds what this one found. */
async function clearStored({ queue, database }: Place, deliveries: number): Promise<void> {
  const stored = await queue.countStored(database);
  if (stored !== deliveries) {
    throw new Error(`Only ${stored} of ${deliveries} deliveries are complete with their responses.`);
  }
  await queue.clear(database);
}

function startPeer(program: string, database: TestDatabase | null, surroundings: Surroundings): ManagedProcess {
  const { sink, concurrent, warmUp, attempts } = surroundings;
  const main = fileURLToPath(new URL(`../../dist/delivery/${program}.js`, import.meta.url));
  // Our own tables need only the rights of a worker; queues that make tables need those of the owner.
  const databaseUrl = program === 'row-by-row' ? database?.runtimeUrl : database?.ownerUrl;
  return startProcess({
    command: process.execPath,
    args: [main, databaseUrl ?? '', sink.url, String(concurrent), String(warmUp), String(attempts)],
  });
}
