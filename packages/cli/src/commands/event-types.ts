import { z } from 'zod';
import { type CommandGroup, defineCommand, field } from '../command.ts';
import { UsageError } from '../failures.ts';
import { application, wholeLimit } from '../fields.ts';

/** Event types: dotted names that events and subscriptions share. */
export const eventTypes: CommandGroup = {
  name: 'event-types',
  summary: 'Event types: dotted names that events and subscriptions share',
  commands: [
    defineCommand({
      name: 'list',
      summary: 'Lists the active event types of an application',
      examples: ['event-types list'],
      fields: { application, limit: wholeLimit },
      async run({ api, output, applicationId }, input) {
        const query = { application_id: applicationId(input.application) };
        output.list(await api().list('/event_types', query, input.limit), [
          { title: 'EVENT TYPE', path: 'event_type_name' },
          { title: 'SERVICE', path: 'service_name', kind: 'text' },
          { title: 'RESOURCE', path: 'resource_type_name', kind: 'text' },
          { title: 'VERB', path: 'verb_name', kind: 'text' },
        ]);
      },
    }),
    defineCommand({
      name: 'create',
      summary: 'Creates an event type, or activates it again',
      examples: ['event-types create order.item.created', 'event-types create order item.v2 created'],
      fields: { name: field(z.array(z.string()), '<name...>', 'service.resource_type.verb, or the three apart'), application },
      async run({ api, output, applicationId }, input) {
        const [service, resourceType, verb, ...rest] = input.name.length === 1 ? (input.name[0] ?? '').split('.') : input.name;
        if (!service || !resourceType || !verb || rest.length > 0) {
          throw new UsageError('An event type has three parts: order.item.created, or apart: order item created.');
        }
        const post = { application_id: applicationId(input.application), service, resource_type: resourceType, verb };
        output.record(await api().post('/event_types', post), { isNew: true });
      },
    }),
  ],
};
