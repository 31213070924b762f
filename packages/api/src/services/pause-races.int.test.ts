import { deleteSubscription } from '@postrider/shared/database/queries/delete-subscription';
import { pauseSubscription } from '@postrider/shared/database/queries/pause-subscription';
import { eventually } from '@postrider/testkit/eventually';
import type { TestDatabase } from '@postrider/testkit/test-database';
import { afterAll, beforeAll, inject, test } from 'vitest';
import {
  createWitnessedDatabase,
  expectNoDeadlocks,
  expectRaceToEnd,
  givenTwoBacklogs,
  ingest,
  type RaceEnd,
  setEnabled,
  silentNotifier,
  type TwoBacklogs,
  work,
} from '../testing/queue-races.ts';
import { sweepStrandedAttempts } from './housekeeping/sweep.ts';
import { createBackgroundSettler } from './settle-in-background.ts';

const rounds = 6;
let database: TestDatabase;

beforeAll(async () => {
  database = await createWitnessedDatabase(inject('superuserUrl'));
});
afterAll(() => database.drop());

function setPaused({ application, changedId }: TwoBacklogs, isPaused: boolean): Promise<unknown> {
  return pauseSubscription(database.db, { applicationId: application.applicationId, subscriptionId: changedId, isPaused });
}

/** The last of the flips, and what must have become of the attempts when everybody has stopped and one sweep has gone over them. */
const lasts: readonly (readonly [name: string, change: (given: TwoBacklogs) => Promise<unknown>, end: RaceEnd])[] = [
  ['a resume', (given) => setPaused(given, false), 'delivered'],
  ['a pause', (given) => setPaused(given, true), 'kept'],
  [
    'a disabling while paused',
    async (given) => {
      await setPaused(given, true);
      await setEnabled(database, given, false);
    },
    'cancelled',
  ],
  [
    'a pause while disabled',
    async (given) => {
      await setEnabled(database, given, false);
      await setPaused(given, true);
    },
    'cancelled',
  ],
  [
    'a deletion while paused',
    async (given) => {
      await setPaused(given, true);
      await deleteSubscription(database.db, given.application.applicationId, given.changedId);
    },
    'cancelled',
  ],
];

/** Pauses and resumes while others take in, claim, renew, give back, record and sweep, and both of two instances settle. */
async function flipAmidWork(given: TwoBacklogs, last: (given: TwoBacklogs) => Promise<unknown>, delivered: Set<string>): Promise<void> {
  let running = true;
  const goesOn = (): boolean => running;
  const others = [
    work(database, goesOn, delivered),
    work(database, goesOn, delivered),
    ingest(database, given, goesOn),
    ingest(database, given, goesOn),
  ];
  const settlers = [createBackgroundSettler(database.db, silentNotifier), createBackgroundSettler(database.db, silentNotifier)];
  const flip = async (index: number): Promise<void> => {
    const deliveredBefore = delivered.size;
    await setPaused(given, index % 2 === 0);
    settlers[Math.floor(index / 2) % 2]?.settle(given.changedId);
    let looks = 0;
    await eventually(
      async () => {
        looks += 1;
        // Rows that a claim held when their settler came by stay where they are, and claims as these, which remember nothing, look at the
        // same ones again and again: a sweep parks them, as it does every ten seconds.
        if (looks % 50 === (index % 3 === 0 ? 1 : 0)) {
          await sweepStrandedAttempts(database.db, silentNotifier);
        }
        return delivered.size > deliveredBefore;
      },
      { intervalMs: 1 },
    );
  };
  const flipAll = async (): Promise<void> => {
    try {
      for (let index = 0; index < 6; index += 1) {
        await flip(index);
      }
      await last(given);
      settlers[0]?.settle(given.changedId);
      await sweepStrandedAttempts(database.db, silentNotifier);
    } finally {
      running = false;
    }
  };
  await Promise.all([flipAll(), ...others]);
}

test.each(lasts)(
  'flips that end with %s, amid ingest, claims, renewals, records and sweeps, lose, repeat and strand nothing',
  async (...row) => {
    const [, last, end] = row;
    for (let round = 0; round < rounds; round += 1) {
      const given = await givenTwoBacklogs(database);
      const delivered = new Set<string>();
      await flipAmidWork(given, last, delivered);
      await expectRaceToEnd(database, given, { delivered, end });
    }
    await expectNoDeadlocks(database);
  },
);
