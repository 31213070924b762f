import { setTimeout as wait } from 'node:timers/promises';
import type { DatabasePool } from '@postrider/shared/database/pool';
import { claimParkedAttempts } from '@postrider/shared/database/queries/claim-parked-attempts';
import { giveUpParkedSubscriptions } from '@postrider/shared/database/queries/give-up-parked-subscriptions';
import { takeParkedSubscriptions } from '@postrider/shared/database/queries/take-parked-subscriptions';
import type { WakeUpNotifier } from '@postrider/shared/database/wake-up-notifier';
import { changeHealth, returnAttempts } from './change-health.ts';
import type { WorkerConfig } from './config.ts';
import type { IsolationOptions } from './isolation.ts';
import type { OperationalEvents } from './operational-events.ts';
import type { WorkerReport } from './report.ts';
import type { Roster } from './roster.ts';

/** A process that shows no sign of life for this long loses its parked subscriptions. */
const ownedForMs = 15_000;
/** Parked subscriptions that a process takes at a time, so that they spread over all. */
const takenMax = 16;
/** The part of the slots that one subscription may have, where nobody says otherwise. */
const capShare = 1 / 4;

export interface IsolationWiring {
  readonly db: DatabasePool;
  readonly config: Pick<WorkerConfig, 'inFlightPerSubscriptionMax' | 'disableFailingAfterMs'>;
  readonly notifier: Pick<WakeUpNotifier, 'notify'>;
  readonly roster: Pick<Roster, 'workerProcessId' | 'servedPools'>;
  readonly report: Pick<WorkerReport, 'healthChanged' | 'subscriptionFailing'>;
  readonly operationalEvents: Pick<OperationalEvents, 'ingest' | 'announce'>;
  readonly slotsTotal: number;
  readonly now: () => number;
}

/** The statements of isolation, and what follows from a change of health. */
export function wireIsolation(wiring: IsolationWiring): IsolationOptions {
  const { db, config, notifier, report, operationalEvents, slotsTotal } = wiring;
  const { workerProcessId, servedPools } = wiring.roster;
  const capDefault = config.inFlightPerSubscriptionMax ?? Math.max(1, Math.floor(slotsTotal * capShare));
  const changing = {
    db,
    operationalEvents,
    capDefault,
    slotsTotal,
    disableAfterMs: config.disableFailingAfterMs,
    workerProcessId,
    ownedForMs,
    random: Math.random,
    now: wiring.now,
  };
  return {
    capDefault,
    take: () => takeParkedSubscriptions(db, { workerProcessId: workerProcessId(), poolIds: servedPools(), ownedForMs, takenMax }),
    claimParked: (claim) => claimParkedAttempts(db, claim),
    giveUp: () => giveUpParkedSubscriptions(db, workerProcessId()),
    async change({ subscriptionId }, signals) {
      const change = await changeHealth(changing, subscriptionId, signals);
      if (change.kind === 'ended') {
        return null;
      }
      operationalEvents.announce();
      if (change.kind === 'disabled') {
        report.subscriptionFailing(subscriptionId);
        return null;
      }
      report.healthChanged(subscriptionId, change);
      if (change.before.parkReason !== null && change.after.parkReason === null) {
        notifier.notify(await returnAttempts(db, subscriptionId), { rewind: true });
      }
      return change.after;
    },
    wait,
    random: Math.random,
  };
}
