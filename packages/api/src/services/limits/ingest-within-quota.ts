import type { DailyEvents } from '@postrider/shared/database/queries/lease-daily-events';
import type { ApplicationLimitsRow } from '@postrider/shared/database/queries/find-application-limits';
import { limitsOfOrganization, type OrganizationLimits, unlimited } from '@postrider/shared/domain/quotas';
import { IngestionOverloadedError } from '../ingest-pressure.ts';
import type { IngestionBatcher } from '../ingestion-batcher.ts';
import type { Found } from '../memory.ts';
import { createLeases, type Leases } from './leases.ts';

export interface EventQuotaOptions {
  /** The limits that an application and its organization have of their own, from memory where they are known. */
  readonly findLimits: (applicationId: string) => Found<ApplicationLimitsRow>;
  /** Of the installation. */
  readonly defaults: OrganizationLimits;
  /** Takes up to so many events out of what an organization or application may ingest today. */
  readonly lease: (ownerId: string, wanted: number, limit: number) => Promise<DailyEvents>;
  readonly now: () => number;
}

/** What a process holds at a time and loses when it dies: a thousandth of the quota, and no more than this. */
const chunkMax = 1000;
const chunksOfQuota = 1000;
/** Who is refused asks again after this: another instance may have given back what it held. */
const refusedForMsMax = 5000;

/**
 * Ingests what the quotas of events per day leave room for. Events are counted in this process out of chunks that it leases, so that a quota of
 * a million costs a thousand statements a day. All instances together never ingest more than the quota; they may stop short of it by what
 * each of them holds.
 */
export function ingestWithinQuota(batcher: IngestionBatcher, options: EventQuotaOptions): IngestionBatcher {
  const leases = createLeases({
    async lease(ownerId: string, wanted: number, limit: number) {
      const { granted, day_ends_in_ms: dayEndsInMs } = await options.lease(ownerId, wanted, limit);
      return { granted, validForMs: dayEndsInMs, refusedForMs: Math.min(dayEndsInMs, refusedForMsMax), retryAfterMs: dayEndsInMs };
    },
    chunkOf: (limit) => Math.min(chunkMax, Math.max(1, Math.floor(limit / chunksOfQuota))),
    now: options.now,
  });
  return {
    ...batcher,
    async ingest(event) {
      const row = await options.findLimits(event.applicationId);
      // What does not exist is refused for that.
      const quotas = row ? quotasOf(event.applicationId, row, options.defaults) : [];
      const refusedForMs = await takeAll(leases, quotas);
      if (refusedForMs !== null) {
        return { kind: 'quota_exceeded', retryAfterMs: refusedForMs };
      }
      const giveBack = () => quotas.forEach(({ ownerId }) => leases.giveBack(ownerId));
      try {
        const result = await batcher.ingest(event);
        if (result.kind !== 'ingested') {
          giveBack();
        }
        return result;
      } catch (error) {
        // After any other failure the event may be there.
        if (error instanceof IngestionOverloadedError) {
          giveBack();
        }
        throw error;
      }
    },
  };
}

interface Quota {
  readonly ownerId: string;
  readonly limit: number;
}

/** An event counts for its application, where that has a quota of its own, and for the organization. */
function quotasOf(applicationId: string, row: ApplicationLimitsRow, defaults: OrganizationLimits): Quota[] {
  const ofAll = limitsOfOrganization(defaults, row.of_organization).events_per_day_limit;
  return [
    { ownerId: applicationId, limit: row.own.events_per_day_limit ?? unlimited },
    { ownerId: row.organization_id, limit: ofAll },
  ].filter(({ limit }) => limit < unlimited);
}

/** One of each; null when all gave, else how long to wait, and then none is taken. */
async function takeAll(leases: Leases<number>, quotas: readonly Quota[]): Promise<number | null> {
  const taken: string[] = [];
  for (const { ownerId, limit } of quotas) {
    // In turn: what is refused by the first must not be taken from the second.
    const result = await leases.take(ownerId, limit);
    if (!result.isTaken) {
      taken.forEach((earlier) => leases.giveBack(earlier));
      return result.retryAfterMs;
    }
    taken.push(ownerId);
  }
  return null;
}
