import type { Database } from '@postrider/shared/database/pool';
import { findApplicationLimits } from '@postrider/shared/database/queries/find-application-limits';
import { findOrganizationLimits } from '@postrider/shared/database/queries/find-organization-limits';
import {
  type ApplicationLimits,
  limitsOfApplication,
  limitsOfOrganization,
  noLimits,
  type OrganizationLimits,
} from '@postrider/shared/domain/quotas';

/** The quotas that hold. Where they are not enforced there are none. */
export interface Quotas {
  readonly isEnforced: boolean;
  /** Of the installation, enforced or not. */
  readonly defaults: OrganizationLimits;
  ofOrganization(db: Database, organizationId: string): Promise<OrganizationLimits>;
  ofApplication(db: Database, applicationId: string): Promise<ApplicationLimits>;
}

export interface QuotaOptions {
  readonly isEnforced: boolean;
  readonly defaults: OrganizationLimits;
}

/** Not enforced. */
export const noQuotas: QuotaOptions = { isEnforced: false, defaults: noLimits };

export function createQuotas({ isEnforced, defaults }: QuotaOptions): Quotas {
  return {
    isEnforced,
    defaults,
    async ofOrganization(db, organizationId) {
      if (!isEnforced) {
        return noLimits;
      }
      const own = await findOrganizationLimits(db, organizationId);
      return own ? limitsOfOrganization(defaults, own) : defaults;
    },
    async ofApplication(db, applicationId) {
      if (!isEnforced) {
        return noLimits;
      }
      const row = await findApplicationLimits(db, applicationId);
      return row ? limitsOfApplication(limitsOfOrganization(defaults, row.of_organization), row.own) : defaults;
    },
  };
}
