import { z } from 'zod';
import { applicationQuery, sentCount, sentUuid, uuid } from '../http/schemas.ts';

/** A day of the calendar, `YYYY-MM-DD`. */
const day = z.string().refine((value) => isDay(value), { error: 'wanted a day such as 2024-05-01' });

function isDay(value: string): boolean {
  const date = new Date(`${value}T00:00:00Z`);
  return (
    /^\d{4}-\d{2}-\d{2}$/.test(value) && value >= '0001-01-01' && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(value)
  );
}

const range = { from: day.optional(), to: day.optional() };

export const applicationDaysQuery = applicationQuery.extend(range);
export const organizationDaysQuery = z.object({ organization_id: uuid, ...range });

/** How many events an application got on one day. */
export const eventsPerDayEntryView = z
  .object({
    application_id: sentUuid,
    application_name: z.string(),
    date: z.string().meta({ format: 'date' }),
    amount: sentCount,
    is_provisional: z.boolean(),
  })
  .meta({ id: 'EventsPerDayEntry' });
