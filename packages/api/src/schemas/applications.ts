import { z } from 'zod';
import { sentCount, sentUuid, uuid } from '../http/schemas.ts';
import { nameOr } from './names.ts';
import { applicationLimitsView, ownApplicationLimits } from './quotas.ts';
import { sentStep } from './usage.ts';

export const applicationPost = z.object({ organization_id: uuid, name: nameOr('ApplicationNameMissing') }).meta({ id: 'ApplicationPost' });

export const applicationPut = applicationPost.extend({ quotas: ownApplicationLimits }).meta({ id: 'ApplicationPut' });

export const applicationListQuery = z.object({ organization_id: uuid });

export const applicationParams = z.object({ application_id: uuid });

export const applicationView = z
  .object({ application_id: sentUuid, organization_id: sentUuid, name: z.string() })
  .meta({ id: 'Application' });

/** What an application may use and uses, beside what it is. */
export const applicationUsageView = z.object({
  quotas: applicationLimitsView,
  consumption: z.object({ events_per_day: sentCount }),
  onboarding_steps: z.object({ event_type: sentStep, subscription: sentStep, event: sentStep }),
});

export const applicationInfoView = applicationView.extend(applicationUsageView.shape).meta({ id: 'ApplicationInfo' });
