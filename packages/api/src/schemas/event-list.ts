import { pageByNumberMax } from '@postrider/shared/domain/limits';
import { z } from 'zod';
import { cursor } from '../http/pagination.ts';
import { applicationQuery, timestamp, uuid } from '../http/schemas.ts';

const pageSizeDefault = 100;
const pageSizeMax = 1000;
const eventTypesMax = 20;
const labelsMax = 10;

/** What an event can have come to; docs/delivery-lifecycle.md says what the words mean. */
const eventStatuses = ['no_match', 'waiting', 'pending', 'in_progress', 'successful', 'partially_failed', 'failed'] as const;

/** The status of an event, in an answer. */
export const eventStatusView = z.enum(eventStatuses);

/** `key=value`; a key has no equals sign. */
const label = z.string().regex(/^[^=]+=.*$/s, { error: 'wanted key=value' });

/** A parameter that may be repeated, or hold several items separated by commas. */
const list = z.union([z.string(), z.array(z.string())]).transform((value) =>
  [value]
    .flat()
    .flatMap((items) => items.split(','))
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

/** What `GET /events` takes. */
export const eventListQuery = applicationQuery
  .extend({
    event_type: list.pipe(z.array(z.string()).max(eventTypesMax, { error: `wanted at most ${eventTypesMax} event types` })).optional(),
    status: list.pipe(z.array(eventStatusView)).optional(),
    since: timestamp.optional(),
    until: timestamp.optional(),
    label: z
      .union([label.transform((one) => [one]), z.array(label).max(labelsMax, { error: `wanted at most ${labelsMax} labels` })], {
        error: 'wanted key=value',
      })
      .refine(hasOneValuePerKey, { error: 'wanted one value for each key' })
      .optional(),
    page: z.coerce.number().int().min(1).max(pageByNumberMax).default(1),
    per_page: z.coerce.number().int().min(1).max(pageSizeMax).default(pageSizeDefault),
    pagination_cursor: cursor([timestamp, uuid]).optional(),
  })
  .refine((query) => query.pagination_cursor !== undefined || query.page * query.per_page <= pageByNumberMax, {
    path: ['page'],
    error: `wanted a page within the first ${pageByNumberMax}: further on, follow the Link header`,
  });

function hasOneValuePerKey(labels: readonly string[]): boolean {
  const keys = new Set(labels.map((one) => one.slice(0, one.indexOf('='))));
  return keys.size === new Set(labels).size;
}
