import type { DatabasePool } from '@postrider/shared/database/pool';
import { deleteApplication } from '@postrider/shared/database/queries/delete-application';
import { lockApplication } from '@postrider/shared/database/queries/lock-application';
import { notifyTokensDeleted } from '@postrider/shared/database/queries/notify-tokens-deleted';

/** Deletes an application with all its subscriptions and secrets; returns the subscriptions, whose attempts are to be settled. */
export function endApplication(db: DatabasePool, applicationId: string): Promise<string[]> {
  return db.transaction(async (transaction) => {
    await notifyTokensDeleted(transaction);
    // In a statement of its own: the deletion that follows sees every subscription that was being written meanwhile.
    await lockApplication(transaction, applicationId);
    return deleteApplication(transaction, applicationId);
  });
}
