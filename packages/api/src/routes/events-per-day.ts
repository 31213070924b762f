import type { Database } from '@postrider/shared/database/pool';
import { findUtcDay } from '@postrider/shared/database/queries/find-utc-day';
import { listEventsPerDay } from '@postrider/shared/database/queries/list-events-per-day';
import { reportDaysMax } from '@postrider/shared/domain/limits';
import { z } from 'zod';
import { defineRoute, type Route } from '../http/route.ts';
import { ProblemError } from '../problems.ts';
import { applicationDaysQuery, eventsPerDayEntryView, organizationDaysQuery } from '../schemas/events-per-day.ts';

const defaultDays = 30;
const dayMs = 24 * 60 * 60 * 1000;

/** How many events came on which day, in UTC. */
export function eventsPerDayRoutes(): Route[] {
  return [
    defineRoute({
      name: 'events_per_day.application',
      summary: 'Counts the events of an application by day',
      method: 'get',
      path: '/events_per_day/application',
      access: 'application',
      application: 'query',
      query: applicationDaysQuery,
      answer: { status: 200, schema: z.array(eventsPerDayEntryView) },
      problems: ['InvalidDateRange'],
      async handle({ db, query }) {
        const range = await rangeOf(db, query);
        return { status: 200, body: await listEventsPerDay(db, { applicationId: query.application_id, organizationId: null, ...range }) };
      },
    }),
    defineRoute({
      name: 'events_per_day.organization',
      summary: 'Counts the events of all applications of an organization by day',
      method: 'get',
      path: '/events_per_day/organization',
      access: 'organization',
      organization: 'query',
      query: organizationDaysQuery,
      answer: { status: 200, schema: z.array(eventsPerDayEntryView) },
      problems: ['InvalidDateRange'],
      async handle({ db, query }) {
        const range = await rangeOf(db, query);
        return { status: 200, body: await listEventsPerDay(db, { applicationId: null, organizationId: query.organization_id, ...range }) };
      },
    }),
  ];
}

/** The days that are asked for: up to today and thirty of them unless the request says otherwise. */
async function rangeOf(
  db: Database,
  query: { readonly from?: string | undefined; readonly to?: string | undefined },
): Promise<{ from: string; to: string }> {
  const to = query.to ?? (await findUtcDay(db));
  const from = query.from ?? daysBefore(to, defaultDays - 1);
  if (from > to) {
    throw new ProblemError('InvalidDateRange');
  }
  if (from < daysBefore(to, reportDaysMax - 1)) {
    throw new ProblemError('InvalidDateRange', { detail: `The range may have at most ${reportDaysMax} days.` });
  }
  return { from, to };
}

function daysBefore(day: string, count: number): string {
  const date = new Date(Date.parse(`${day}T00:00:00Z`) - count * dayMs);
  // The calendar of PostgreSQL begins with the year 1 here; nothing is counted before it.
  return date.getTime() < Date.parse('0001-01-01T00:00:00Z') ? '0001-01-01' : date.toISOString().slice(0, 10);
}
