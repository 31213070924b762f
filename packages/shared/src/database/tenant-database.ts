import { normalizeUuid } from '../domain/ids.ts';
import type { DatabasePool, OpenPool } from './pool.ts';

/** Whose rows a request may see. */
export interface Tenant {
  /** Null for nobody's. */
  readonly organizationId: string | null;
  /** `all`: those of the organization, also ones that are made meanwhile. */
  readonly applicationIds: readonly string[] | 'all';
}

/**
 * The database without any tenant: everything is to be seen. What asks for it by this type works for all tenants at once, such as the
 * group that ingest writes, housekeeping and the look-up of tokens; what serves one tenant takes a `DatabasePool` made by `forTenant`.
 */
export interface AllTenantsDatabase extends OpenPool {
  /** The same database as far as a tenant may see it: row-level security hides the rest, whatever a statement asks for. */
  forTenant(tenant: Tenant): DatabasePool;
}

/** Says that a pool sees all tenants. Where `isIsolating` is false the server has no role for tenants, and statements alone keep them apart. */
export function seeingAllTenants(pool: OpenPool, isIsolating: boolean): AllTenantsDatabase {
  return { ...pool, forTenant: (tenant) => (isIsolating ? pool.beginningWith(beginFor(tenant)) : pool) };
}

/** One round trip. The role and the settings end with the transaction, so that poolers and the next user of the connection are none the wiser. */
function beginFor({ organizationId, applicationIds }: Tenant): string {
  const organization = organizationId === null ? '' : checkedUuid(organizationId);
  const applications = applicationIds === 'all' ? '*' : `{${applicationIds.map(checkedUuid).join(',')}}`;
  return (
    `begin; set local role postrider_tenant; select set_config('postrider.organization_id', '${organization}', true), ` +
    `set_config('postrider.application_ids', '${applications}', true)`
  );
}

function checkedUuid(value: string): string {
  const uuid = normalizeUuid(value);
  if (uuid === null) {
    throw new TypeError('A tenant is named by something that is no UUID.');
  }
  return uuid;
}
