/** How a limit that does not exist is written: the largest number that clients of 32 bits read. */
export const unlimited = 2_147_483_647;

/** What an organization may use, and each of its applications where they have no limits of their own. */
export interface OrganizationLimits {
  readonly members_per_organization_limit: number;
  readonly applications_per_organization_limit: number;
  /** Of all applications together. */
  readonly events_per_day_limit: number;
  readonly days_of_events_retention_limit: number;
  readonly subscriptions_per_application_limit: number;
  readonly event_types_per_application_limit: number;
}

/** What an application may use. */
export type ApplicationLimits = Omit<OrganizationLimits, 'members_per_organization_limit' | 'applications_per_organization_limit'>;

/** Limits of its own that an organization or application has; null where it has none. */
export type OwnLimits<Limits> = { readonly [Name in keyof Limits]: number | null };

/** No limits at all. */
export const noLimits: OrganizationLimits = {
  members_per_organization_limit: unlimited,
  applications_per_organization_limit: unlimited,
  events_per_day_limit: unlimited,
  days_of_events_retention_limit: unlimited,
  subscriptions_per_application_limit: unlimited,
  event_types_per_application_limit: unlimited,
};

/** The limits that hold for an organization: its own, else those of the installation. */
export function limitsOfOrganization(defaults: OrganizationLimits, own: OwnLimits<OrganizationLimits>): OrganizationLimits {
  return {
    members_per_organization_limit: own.members_per_organization_limit ?? defaults.members_per_organization_limit,
    applications_per_organization_limit: own.applications_per_organization_limit ?? defaults.applications_per_organization_limit,
    ...limitsOfBoth(defaults, own),
  };
}

/**
 * The limits that hold for an application: its own, else those of its organization. Events are counted for the organization too, so that an
 * application of its own gets no more of them than that has.
 */
export function limitsOfApplication(organization: OrganizationLimits, own: OwnLimits<ApplicationLimits>): ApplicationLimits {
  const limits = limitsOfBoth(organization, own);
  return { ...limits, events_per_day_limit: Math.min(limits.events_per_day_limit, organization.events_per_day_limit) };
}

function limitsOfBoth(defaults: ApplicationLimits, own: OwnLimits<ApplicationLimits>): ApplicationLimits {
  return {
    events_per_day_limit: own.events_per_day_limit ?? defaults.events_per_day_limit,
    days_of_events_retention_limit: own.days_of_events_retention_limit ?? defaults.days_of_events_retention_limit,
    subscriptions_per_application_limit: own.subscriptions_per_application_limit ?? defaults.subscriptions_per_application_limit,
    event_types_per_application_limit: own.event_types_per_application_limit ?? defaults.event_types_per_application_limit,
  };
}
