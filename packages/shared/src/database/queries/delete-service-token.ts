import type { Database } from '../pool.ts';

/** Marks a service token as deleted; returns whether the organization had it. */
export async function deleteServiceToken(
  db: Database,
  token: { readonly organizationId: string; readonly serviceTokenId: string },
): Promise<boolean> {
  const { rowCount } = await db.query({ name: 'delete_service_token', text: sql, values: [token.organizationId, token.serviceTokenId] });
  return rowCount === 1;
}

const sql = `
update iam.service_token set deleted_at = statement_timestamp()
where organization_id = $1 and service_token_id = $2 and deleted_at is null
`;
