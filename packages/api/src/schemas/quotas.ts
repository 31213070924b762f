import { z } from 'zod';
import { optional } from '../http/schemas.ts';

/** A limit in an answer; none is the largest number. */
export const sentLimit = z.int32().min(1);

const ownLimit = optional(sentLimit);

const applicationMembers = {
  events_per_day_limit: ownLimit,
  days_of_events_retention_limit: ownLimit,
  subscriptions_per_application_limit: ownLimit,
  event_types_per_application_limit: ownLimit,
};

const words = 'Only with the master key. Given, it replaces all limits of its own; a limit that is null or left out is that of the';

/** Limits of its own that an application is given; left out, they stay as they are. */
export const ownApplicationLimits = optional(z.object(applicationMembers)).meta({ description: `${words} organization.` });

/** The same of an organization. */
export const ownOrganizationLimits = optional(
  z.object({ members_per_organization_limit: ownLimit, applications_per_organization_limit: ownLimit, ...applicationMembers }),
).meta({ description: `${words} installation.` });

const noLimit = 'No limit is 2147483647.';

/** The limits that hold for an application. */
export const applicationLimitsView = z
  .object({
    events_per_day_limit: sentLimit,
    days_of_events_retention_limit: sentLimit,
    subscriptions_per_application_limit: sentLimit,
    event_types_per_application_limit: sentLimit,
  })
  .meta({ description: noLimit });

/** The limits that hold for an organization, and for each of its applications that has none of its own. */
export const organizationLimitsView = z
  .object({
    members_per_organization_limit: sentLimit,
    applications_per_organization_limit: sentLimit,
    ...applicationLimitsView.shape,
  })
  .meta({ description: noLimit });
