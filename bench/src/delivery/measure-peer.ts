import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type ManagedProcess, startProcess } from '@postrider/testkit/child-process';
import type { TestDatabase } from '@postrider/testkit/test-database';
import { afterBacklog, beforeBacklog, countConnectionsDuring, type Measurement, startReading, type Surroundings } from './measurement.ts';
import type { PeerQueue } from './peer-queues.ts';

export interface PeerProgram {
  /** The file beside this one. */
  readonly program: string;
  /** Null: it sends without one. */
  readonly queue: PeerQueue | null;
}

const timeoutMs = 600_000;
/** What backends take to end after their client did; only then are they counted. */
const backendsEndWithinMs = 500;

/** Measures one process of a peer: it works off a backlog to warm up, then the one that counts. */
export async function measurePeer(surroundings: Surroundings, { program, queue }: PeerProgram): Promise<Measurement> {
  const { server, sink, attempts, warmUp } = surroundings;
  const database = queue ? await server.createDatabase() : null;
  if (database && queue) {
    await queue.prepare(database);
    await queue.insert(database, 'warm_up', warmUp, sink);
    await afterBacklog(database);
  }
  const child = startPeer(program, database, surroundings);
  await child.waitForLog((line) => line['event'] === 'peer.warm', timeoutMs);
  if (database && queue) {
    await beforeBacklog(database);
    await queue.insert(database, 'measured', attempts, sink);
    await afterBacklog(database);
  }

  const reading = await startReading(surroundings, database);
  const finished = child.waitForLog((line) => line['event'] === 'peer.finished', timeoutMs);
  child.kill('SIGUSR2');
  const connections = database ? await countConnectionsDuring(database, finished) : null;
  const line = await finished;
  await child.waitForExit();
  await wait(backendsEndWithinMs);
  const used = await reading.end({ deliveries: attempts, senderCpuMicros: Number(line['cpuMicros']) });

  if (database && queue) {
    const stored = await queue.countStored(database);
    await database.drop();
    if (stored !== warmUp + attempts) {
      throw new Error(`${program}: only ${stored} of ${warmUp + attempts} deliveries are complete with their responses.`);
    }
  }
  return {
    ...used,
    perSecond: attempts / Number(line['seconds']),
    peakMemoryMiB: Number(line['peakMemoryMiB']),
    connections,
  };
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
