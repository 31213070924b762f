import { z } from 'zod';
import { text, uuid } from '../http/schemas.ts';

export const eventTypeParams = z.object({ event_type_name: z.string() });

export const eventTypePost = z
  .object({ application_id: uuid, service: text(1, 50), resource_type: text(1, 50), verb: text(1, 50) })
  .meta({ id: 'EventTypePost' });

export const eventTypeView = z
  .object({ service_name: z.string(), resource_type_name: z.string(), verb_name: z.string(), event_type_name: z.string() })
  .meta({ id: 'EventType' });
