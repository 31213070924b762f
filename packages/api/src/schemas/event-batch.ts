import { batchEventsMax } from '@postrider/shared/domain/limits';
import { z } from 'zod';
import { eventPost, ingestedEvent } from './events.ts';
import { problemView } from './problems.ts';

/** The array around the events, which are read one by one: what is wrong with one of them is its own problem. */
export const eventBatch = z
  .array(z.unknown())
  .min(1, { error: `wanted 1 to ${batchEventsMax} events` })
  .max(batchEventsMax, { error: `wanted 1 to ${batchEventsMax} events` });

/** The same for the documentation, which says what the events are. */
export const documentedEventBatch = z.array(eventPost).min(1).max(batchEventsMax).meta({ id: 'EventBatch' });

const ingestedItem = z
  .object({ status: z.literal(201), event: ingestedEvent })
  .meta({ id: 'IngestedItem', description: 'The event and all its attempts are committed.' });

/** What the status of a refused event can be: those of problems, so that 201 is never one. */
const refusedStatus = z.int32().min(400).max(599);

const refusedItem = z
  .object({
    status: refusedStatus,
    problem: problemView,
    retry_after: z.int32().min(1).optional().meta({ description: 'Seconds after which to send this event again.' }),
  })
  .meta({ id: 'RefusedItem', description: 'As the event alone would have been refused. 409 with the code `same_content` is a success.' });

/** What became of one event of a batch. */
export const batchItemView = z.union([ingestedItem, refusedItem]).meta({ id: 'BatchItem' });

export const batchView = z.array(batchItemView).meta({ id: 'BatchResult' });
