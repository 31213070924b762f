import { type Database, onlyRow } from '../pool.ts';

export interface DatabaseCheck {
  /** Rights that the role of the API should not have; empty when all is well. */
  readonly excess_rights: string[];
  /** Whether row-level security keeps tenants apart: the role for them is there, tables have policies, and it may be switched to. */
  readonly is_isolating: boolean;
}

/** Whether the database answers, and what its role could do beyond its job. */
export async function checkDatabase(db: Database): Promise<DatabaseCheck> {
  return onlyRow(await db.query<DatabaseCheck>({ name: 'check_database', text: sql }));
}

const sql = `
select array_remove(array[
         case when r.rolsuper then 'superuser' end,
         case when r.rolbypassrls then 'bypassrls' end,
         case when pg_has_role(c.relowner, 'usage') then 'owner of the tables' end
       ], null) as excess_rights,
       c.relrowsecurity and exists (
         select from pg_roles t
         where t.rolname = 'postrider_tenant'
           and pg_has_role(t.oid, case when current_setting('server_version_num')::integer >= 160000 then 'set' else 'member' end)
       ) as is_isolating
from pg_roles r, pg_class c
where r.rolname = current_user and c.oid = 'webhook.subscription'::regclass
`;
