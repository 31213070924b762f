import { randomUUID } from 'node:crypto';
import type { Database } from '@postrider/shared/database/pool';
import { rotateSubscriptionSecret } from '@postrider/shared/database/queries/rotate-subscription-secret';
import { previousSecretsMax } from '@postrider/shared/domain/limits';
import { type SecretsKey, seal } from '@postrider/shared/secrets/sealed-secret';

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
export async function rotateSecret(db: Database, secretsKey: SecretsKey, order: RotationOrder): Promise<RotationResult> {
  const secret = randomUUID();
  const secretSealed = seal(secretsKey, secret, `subscription:${order.subscriptionId}`);
  const rotated = await rotateSubscriptionSecret(db, { ...order, secretSealed, previousSecretsMax });
  return rotated ? { kind: 'rotated', secret, previousSecretEndsAt: rotated.previousSecretEndsAt } : { kind: 'refused' };
}
