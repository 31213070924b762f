import type { DatabasePool } from '@postrider/shared/database/pool';
import { deactivateEventType } from '@postrider/shared/database/queries/deactivate-event-type';
import { type EventTypeRow, listEventTypes } from '@postrider/shared/database/queries/list-event-types';
import { type NewEventType, upsertEventType } from '@postrider/shared/database/queries/upsert-event-type';
import type { Audit } from './audit.ts';

/** Creates an event type, or activates it again. */
export function createEventType(db: DatabasePool, audit: Audit, wanted: NewEventType): Promise<EventTypeRow> {
  const { applicationId, service, resourceType, verb } = wanted;
  return db.transaction(async (transaction) => {
    const [before] = await listEventTypes(transaction, applicationId, [`${service}.${resourceType}.${verb}`]);
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
