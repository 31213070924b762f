import type { Database } from '../pool.ts';

/** The channel on which workers hear that attempts are due. */
export const dueAttemptsChannel = 'postrider_due_attempts';

/** Tells listening workers that attempts are due. Sent outside the data's transaction: inside, it would serialize all commits. */
export async function notifyDueAttempts(db: Database, payload: string): Promise<void> {
  await db.query({ name: 'notify_due_attempts', text: 'select pg_notify($1, $2)', values: [dueAttemptsChannel, payload] });
}
