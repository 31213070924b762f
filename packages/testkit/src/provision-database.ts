import { Client, escapeIdentifier, escapeLiteral } from 'pg';

export interface ProvisionOptions {
  /** Of a role that may create roles and databases. */
  readonly superuserUrl: string;
  readonly database: string;
  readonly password: string;
}

export interface ProvisionedDatabase {
  /** Owns the database and migrates it. */
  readonly ownerUrl: string;
  /** Reads and writes rows and owns nothing: what the API and the workers use. */
  readonly runtimeUrl: string;
}

/** Makes the roles and the database of an installation where they are missing. Safe to run again. */
export async function provisionDatabase(options: ProvisionOptions): Promise<ProvisionedDatabase> {
  const client = new Client({ connectionString: options.superuserUrl });
  await client.connect();
  try {
    await ensureRoles(client, options.password);
    const { rowCount } = await client.query('select from pg_database where datname = $1', [options.database]);
    if (rowCount === 0) {
      await client.query(`create database ${escapeIdentifier(options.database)} owner postrider_owner`);
    }
  } finally {
    await client.end();
  }
  return { ownerUrl: urlFor(options, 'postrider_owner'), runtimeUrl: urlFor(options, 'postrider_app') };
}

/**
 * Roles belong to the whole server: several databases of one server are provisioned one after the other. The statements are one implicit
 * transaction, with whose commit the lock ends.
 */
async function ensureRoles(client: Client, password: string): Promise<void> {
  const literal = escapeLiteral(password);
  await client.query(`
    select pg_advisory_xact_lock(hashtext('postrider'), hashtext('roles'));
    do $$
    begin
      if not exists (select from pg_roles where rolname = 'postrider_owner') then create role postrider_owner; end if;
      if not exists (select from pg_roles where rolname = 'postrider_runtime') then create role postrider_runtime; end if;
      if not exists (select from pg_roles where rolname = 'postrider_tenant') then create role postrider_tenant; end if;
      if not exists (select from pg_roles where rolname = 'postrider_app') then create role postrider_app; end if;
    end
    $$;
    alter role postrider_owner login createrole nosuperuser password ${literal};
    alter role postrider_runtime nologin nosuperuser nobypassrls;
    alter role postrider_tenant nologin nosuperuser nobypassrls;
    alter role postrider_app login nosuperuser nobypassrls password ${literal};
    grant postrider_runtime to postrider_app;
    grant postrider_tenant to postrider_runtime, postrider_owner;
  `);
}

function urlFor({ superuserUrl, database, password }: ProvisionOptions, role: string): string {
  const url = new URL(superuserUrl);
  url.username = role;
  url.password = password;
  url.pathname = `/${database}`;
  return url.href;
}
