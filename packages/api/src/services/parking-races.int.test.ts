import { randomUUID } from 'node:crypto';
import { claimParkedAttempts } from '@postrider/shared/database/queries/claim-parked-attempts';
import { clearSubscriptionHealth } from '@postrider/shared/database/queries/clear-subscription-health';
import { lockSubscriptionHealth } from '@postrider/shared/database/queries/lock-subscription-health';
import { pauseSubscription } from '@postrider/shared/database/queries/pause-subscription';
import { recordOutcomes } from '@postrider/shared/database/queries/record-outcomes';
import { takeParkedSubscriptions } from '@postrider/shared/database/queries/take-parked-subscriptions';
import { writeSubscriptionHealth } from '@postrider/shared/database/queries/write-subscription-health';
import { healthy } from '@postrider/shared/domain/subscription-health';
import { eventually } from '@postrider/testkit/eventually';
import { outcomeOf } from '@postrider/testkit/outcomes';
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

const rounds = 3;
let database: TestDatabase;

beforeAll(async () => {
  database = await createWitnessedDatabase(inject('superuserUrl'));
});
afterAll(() => database.drop());

/** As a worker does it: one transaction under the lock of the subscription. */
async function setParked({ application, changedId }: TwoBacklogs, isParked: boolean): Promise<void> {
  await database.db.transaction(async (transaction) => {
    if (!(await lockSubscriptionHealth(transaction, changedId))) {
      return;
    }
    if (isParked) {
      await writeSubscriptionHealth(transaction, {
        applicationId: application.applicationId,
        subscriptionId: changedId,
        health: { ...healthy, parkReason: 'over_cap', budget: 5 },
        nowMs: 0,
        workerProcessId: 1,
        ownedForMs: 50,
      });
    } else {
      await clearSubscriptionHealth(transaction, changedId);
    }
  });
}

function setPaused({ application, changedId }: TwoBacklogs, isPaused: boolean): Promise<unknown> {
  return pauseSubscription(database.db, { applicationId: application.applicationId, subscriptionId: changedId, isPaused });
}

/** Takes what is parked, claims of it, and records that it was delivered, or failed and comes again. */
async function workParked(workerProcessId: number, goesOn: () => boolean, delivered: Set<string>): Promise<void> {
  while (goesOn()) {
    const owned = await takeParkedSubscriptions(database.db, { workerProcessId, poolIds: [0], ownedForMs: 50, takenMax: 16 });
    const leaseId = randomUUID();
    const shares = owned.map((row) => ({ subscriptionId: row.subscription_id, limit: 5, isProbe: row.hold_left_ms !== null }));
    const claimed = await claimParkedAttempts(database.db, { shares, leaseId, leaseMs: 60_000, workerProcessId });
    const outcomes = claimed.map((attempt, index) =>
      index % 3 === 0
        ? outcomeOf({ ...attempt, leaseId }, { succeeded: false, httpCode: 500, errorName: 'E_HTTP', retryDelayMs: 0, retryCount: 1 })
        : outcomeOf({ ...attempt, leaseId }),
    );
    const ids = await recordOutcomes(database.db, outcomes);
    outcomes
      .filter(({ requestAttemptId, succeeded }) => succeeded && ids.has(requestAttemptId))
      .forEach(({ requestAttemptId }) => delivered.add(requestAttemptId));
  }
}

/** Parks and un-parks while others take in, claim from both lanes, renew, give back, record and sweep. */
async function flipAmidWork(given: TwoBacklogs, last: (given: TwoBacklogs) => Promise<unknown>, delivered: Set<string>): Promise<void> {
  let running = true;
  const goesOn = (): boolean => running;
  const others = [
    work(database, goesOn, delivered),
    work(database, goesOn, delivered),
    workParked(1, goesOn, delivered),
    workParked(2, goesOn, delivered),
    ingest(database, given, goesOn),
  ];
  const flipAll = async (): Promise<void> => {
    try {
      for (let index = 0; index < 8; index += 1) {
        const deliveredBefore = delivered.size;
        await setParked(given, index % 2 === 0);
        await eventually(
          async () => {
            await sweepStrandedAttempts(database.db, silentNotifier);
            return delivered.size > deliveredBefore;
          },
          { intervalMs: 1 },
        );
      }
      await last(given);
    } finally {
      running = false;
    }
  };
  await Promise.all([flipAll(), ...others]);
}

/** The last of the flips, and what must have become of the attempts when everybody has stopped and sweeps have gone over them. */
const lasts: readonly (readonly [name: string, change: (given: TwoBacklogs) => Promise<unknown>, end: RaceEnd])[] = [
  ['a recovery', (given) => setParked(given, false), 'delivered'],
  ['a parking', (given) => setParked(given, true), 'kept'],
  [
    'a recovery while paused',
    async (given) => {
      await setParked(given, true);
      await setPaused(given, true);
      await setParked(given, false);
    },
    'kept',
  ],
  [
    'a resume while parked',
    async (given) => {
      await setPaused(given, true);
      await setParked(given, true);
      await setPaused(given, false);
    },
    'kept',
  ],
  [
    'a disabling while parked',
    async (given) => {
      await setParked(given, true);
      await setEnabled(database, given, false);
    },
    'cancelled',
  ],
];

test.each(lasts)(
  'parkings that end with %s, amid ingest, claims of both lanes, renewals, records and sweeps, lose, repeat and strand nothing',
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
