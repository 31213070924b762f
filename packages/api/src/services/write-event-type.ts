import type { DatabasePool } from '@postrider/shared/database/pool';
import { countEventTypes } from '@postrider/shared/database/queries/count-event-types';
import { deactivateEventType } from '@postrider/shared/database/queries/deactivate-event-type';
import { type EventTypeRow, listEventTypes } from '@postrider/shared/database/queries/list-event-types';
import { lockApplication } from '@postrider/shared/database/queries/lock-application';
import { type NewEventType, upsertEventType } from '@postrider/shared/database/queries/upsert-event-type';
import { unlimited } from '@postrider/shared/domain/quotas';
import type { Audit } from './audit.ts';

/** Creates an event type, or activates it again; undefined when the application has as many active ones as this already. */
export function createEventType(db: DatabasePool, audit: Audit, wanted: NewEventType, limit: number): Promise<EventTypeRow | undefined> {
  const { applicationId, service, resourceType, verb } = wanted;
  return db.transaction(async (transaction) => {
    if (limit < unlimited) {
      // Whoever counts holds the application, so that of two who count at once one sees what the other made.
      await lockApplication(transaction, applicationId);
    }
    const [before] = await listEventTypes(transaction, applicationId, [`${service}.${resourceType}.${verb}`]);
    if (!before && limit < unlimited && (await countEventTypes(transaction, applicationId)) >= limit) {
      return undefined;
    }
    const after = await upsertEventType(transaction, wanted);
    await audit(transaction, { ...about(applicationId, after.event_type_name), before: before ?? null, after });
    return after;
  });
}

/** Deactivates an event type. False when the application has no active one of this name. */
export function removeEventType(db: DatabasePool, audit: Audit, applicationId: string, name: string): Promise<boolean> {
  return db.transaction(async (transaction) => {
    const [before] = await listEventTypes(transaction, applicationId, [name]);
    if (!(await deactivateEventType(transaction, applicationId, name))) {
      return false;
    }
    await audit(transaction, { ...about(applicationId, name), before: before ?? {}, after: null });
    return true;
  });
}

function about(applicationId: string, name: string) {
  return { owner: { applicationId }, target: { kind: 'event_type', id: name } };
}
