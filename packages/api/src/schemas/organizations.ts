import { installationId } from '@postrider/shared/domain/audit-entry';
import { z } from 'zod';
import { optional, sentCount, sentUuid, uuid } from '../http/schemas.ts';
import { nameOr } from './names.ts';
import { organizationLimitsView, ownOrganizationLimits } from './quotas.ts';
import { sentStep } from './usage.ts';

/** The audit log keeps the changes of the installation itself under this one. */
const wantedId = uuid.refine((id) => id !== installationId, { error: 'this id is reserved' });

export const organizationPost = z
  .object({ name: nameOr('OrganizationNameMissing'), organization_id: optional(wantedId) })
  .meta({ id: 'OrganizationPost' });

export const organizationPut = organizationPost.extend({ quotas: ownOrganizationLimits }).meta({ id: 'OrganizationPut' });

export const organizationParams = z.object({ organization_id: uuid });

/** No plans are sold here: the member is there for clients that read it. */
const plan = z.null();

export const organizationView = z
  .object({ organization_id: sentUuid, role: z.enum(['master', 'editor', 'viewer']), name: z.string(), plan })
  .meta({ id: 'Organization' });

/** There are no user accounts: the list is there for clients that read it. */
const users = z.array(z.object({ user_id: sentUuid, first_name: z.string(), last_name: z.string(), email: z.string(), role: z.string() }));

export const organizationInfoView = z
  .object({
    organization_id: sentUuid,
    name: z.string(),
    plan,
    users,
    quotas: organizationLimitsView,
    consumption: z.object({ members: sentCount, applications: sentCount, events_per_day: sentCount }),
    onboarding_steps: z.object({ application: sentStep, event_type: sentStep, subscription: sentStep, event: sentStep }),
  })
  .meta({ id: 'OrganizationInfo' });
