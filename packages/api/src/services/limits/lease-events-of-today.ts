import type { Database } from '@postrider/shared/database/pool';
import { type DailyEvents, leaseDailyEvents } from '@postrider/shared/database/queries/lease-daily-events';
import { openDailyQuota } from '@postrider/shared/database/queries/open-daily-quota';

/** Takes up to so many events out of what an organization or application may ingest today, and begins to count the day where nobody has. */
export async function leaseEventsOfToday(db: Database, ownerId: string, wanted: number, limit: number): Promise<DailyEvents> {
  const lease = await leaseDailyEvents(db, ownerId, wanted, limit);
  if (lease) {
    return lease;
  }
  await openDailyQuota(db, ownerId);
  // Nothing yet at midnight sharp, when the day that was opened is over: whoever asks next opens the new one.
  return (await leaseDailyEvents(db, ownerId, wanted, limit)) ?? { granted: 0, day_ends_in_ms: 1000 };
}
