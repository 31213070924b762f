import { randomUUID } from 'node:crypto';
import type { DatabasePool } from '@postrider/shared/database/pool';
import { rotateSubscriptionSecret } from '@postrider/shared/database/queries/rotate-subscription-secret';
import { previousSecretsMax } from '@postrider/shared/domain/limits';
import { type SecretsKey, seal } from '@postrider/shared/secrets/sealed-secret';
import type { Audit } from './audit.ts';

export interface RotationOrder {
  readonly applicationId: string;
  readonly subscriptionId: string;
  /** How long the secret until now signs beside the new one; 0 ends it at once. */
  readonly overlapMs: number;
}

export type RotationResult =
  | { readonly kind: 'rotated'; readonly secret: string; readonly previousSecretEndsAt: Date | null }
  /** As many secrets sign already as may; or the subscription was deleted meanwhile. */
  | { readonly kind: 'refused' };

/** Gives a subscription a new random secret. */
export async function rotateSecret(db: DatabasePool, audit: Audit, secretsKey: SecretsKey, order: RotationOrder): Promise<RotationResult> {
  const secret = randomUUID();
  const secretSealed = seal(secretsKey, secret, `subscription:${order.subscriptionId}`);
  const rotated = await db.transaction(async (transaction) => {
    const done = await rotateSubscriptionSecret(transaction, { ...order, secretSealed, previousSecretsMax });
    if (done) {
      const { applicationId, subscriptionId } = order;
      await audit(transaction, {
        owner: { applicationId },
        target: { kind: 'subscription', id: subscriptionId },
        before: null,
        after: { secret, previous_secret_ends_at: done.previousSecretEndsAt },
      });
    }
    return done;
  });
  return rotated ? { kind: 'rotated', secret, previousSecretEndsAt: rotated.previousSecretEndsAt } : { kind: 'refused' };
}
