import type { QueryResultRow } from 'pg';
import type { Database } from '../pool.ts';

interface RotatedRow extends QueryResultRow {
  readonly previous_secret_ends_at: Date | null;
}

export interface SecretRotation {
  readonly applicationId: string;
  readonly subscriptionId: string;
  readonly secretSealed: Buffer;
  /** How long the secret until now signs beside the new one; 0 ends it, and all that were rotated out before it, at once. */
  readonly overlapMs: number;
  /** Secrets that may sign beside the new one. */
  readonly previousSecretsMax: number;
}

/**
 * Gives a subscription a new secret. Those before it sign on until their ends. Undefined, and nothing is changed, when there is no such
 * subscription or as many secrets sign beside the current one as may.
 */
export async function rotateSubscriptionSecret(
  db: Database,
  rotation: SecretRotation,
): Promise<{ readonly previousSecretEndsAt: Date | null } | undefined> {
  const { rows } = await db.query<RotatedRow>({
    name: 'rotate_subscription_secret',
    text: sql,
    values: [rotation.applicationId, rotation.subscriptionId, rotation.secretSealed, rotation.overlapMs, rotation.previousSecretsMax],
  });
  return rows[0] && { previousSecretEndsAt: rows[0].previous_secret_ends_at };
}

// Everything is read from the row that is written: of two rotations at once the second sees what the first left. An overlap of 0 keeps none.
const sql = `
update webhook.subscription
set secret_sealed = $3,
    previous_secrets_sealed = array(
      select p.sealed
      from unnest(array[secret_sealed] || previous_secrets_sealed,
                  array[statement_timestamp() + $4::bigint * interval '1 millisecond'] || previous_secrets_until)
        with ordinality as p (sealed, until, ordinality)
      where $4::bigint > 0 and p.until > statement_timestamp()
      order by p.ordinality
    ),
    previous_secrets_until = array(
      select p.until
      from unnest(array[statement_timestamp() + $4::bigint * interval '1 millisecond'] || previous_secrets_until)
        with ordinality as p (until, ordinality)
      where $4::bigint > 0 and p.until > statement_timestamp()
      order by p.ordinality
    ),
    updated_at = statement_timestamp()
where application_id = $1 and subscription_id = $2 and deleted_at is null
  and ($4::bigint = 0 or $5 > (select count(*) from unnest(previous_secrets_until) as until where until > statement_timestamp()))
returning (select max(until) from unnest(previous_secrets_until) as until) as previous_secret_ends_at
`;
