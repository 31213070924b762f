import type { Database } from '../pool.ts';

/** Until the transaction ends, nobody else who asks for it acts on the delivery of this event to this subscription. */
export async function lockDelivery(db: Database, eventId: string, subscriptionId: string): Promise<void> {
  await db.query({ name: 'lock_delivery', text: sql, values: [`${eventId} ${subscriptionId}`] });
}

const sql = `select pg_advisory_xact_lock(hashtext('postrider'), hashtext($1))`;
