import type { Database } from '@postrider/shared/database/pool';
import { pauseSubscription } from '@postrider/shared/database/queries/pause-subscription';
import type { BackgroundSettler } from './settle-in-background.ts';

export interface PauseChange {
  readonly applicationId: string;
  readonly subscriptionId: string;
  readonly isPaused: boolean;
}

export type PauseResult = { readonly kind: 'changed'; readonly pausedAt: Date | null } | { readonly kind: 'not_found' };

/** Pauses or resumes: the flag counts from now on, whatever waits; the rows follow in the background. */
export async function changePause(db: Database, settler: BackgroundSettler, change: PauseChange): Promise<PauseResult> {
  const changed = await pauseSubscription(db, change);
  if (!changed) {
    return { kind: 'not_found' };
  }
  settler.settle(change.subscriptionId);
  return { kind: 'changed', pausedAt: changed.pausedAt };
}
