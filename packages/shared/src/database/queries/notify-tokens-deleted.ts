import { randomUUID } from 'node:crypto';
import type { Database } from '../pool.ts';

/** The channel on which instances of the API hear that tokens were deleted. */
export const deletedTokensChannel = 'postrider_deleted_tokens';

/** Of this process, by which it knows its own messages. */
const senderId = randomUUID();

/** Tells all instances of the API to forget the tokens that they know. In the transaction that deletes them: it is sent with its commit. */
export async function notifyTokensDeleted(db: Database): Promise<void> {
  await db.query({ name: 'notify_tokens_deleted', text: 'select pg_notify($1, $2)', values: [deletedTokensChannel, senderId] });
}

/** Whether this process sent a message: it has forgotten its tokens by itself then. */
export function isOwnNotification(payload: string): boolean {
  return payload === senderId;
}
