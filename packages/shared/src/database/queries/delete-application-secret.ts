import type { Database } from '../pool.ts';

/** Marks a secret of an application as deleted: its token is refused from then on. Returns whether there was one. */
export async function deleteApplicationSecret(db: Database, applicationId: string, tokenHash: Buffer): Promise<boolean> {
  const { rowCount } = await db.query({ name: 'delete_application_secret', text: sql, values: [applicationId, tokenHash] });
  return rowCount === 1;
}

const sql = `
update iam.application_secret
set deleted_at = statement_timestamp()
where application_id = $1 and token_hash = $2 and deleted_at is null
`;
