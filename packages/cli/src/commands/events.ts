import { isUtf8 } from 'node:buffer';
import { type CommandGroup, defineCommand } from '../command.ts';
import { application, idArgument, idOption, keyValuesOption, limit, textOption, textsOption, timeOption, wholeLimit } from '../fields.ts';
import { membersOf } from '../http/api.ts';
import { eventsSend } from './events-send.ts';

const event = idArgument('event', 'the event');
const pageSizeMax = 100;

/** Events that were sent. */
export const events: CommandGroup = {
  name: 'events',
  summary: 'Events: send, read, replay',
  commands: [
    eventsSend,
    defineCommand({
      name: 'list',
      summary: 'Lists events, newest first',
      examples: ['events list --since 1h --label tenant=acme', 'events list --event-type order.item.created --limit 500 --json'],
      fields: {
        application,
        eventType: textOption('--event-type <name>', 'only events of this type'),
        label: keyValuesOption('--label <key=value>', 'only events with this label'),
        status: textsOption('--status <status>', 'only events that came to this, such as waiting, successful or failed'),
        since: timeOption('--since <time>', 'received since'),
        until: timeOption('--until <time>', 'received until'),
        limit,
      },
      async run({ api, output, applicationId }, input) {
        const query = {
          application_id: applicationId(input.application),
          event_type: input.eventType,
          label: input.label,
          status: input.status.join(',') || undefined,
          since: input.since,
          until: input.until,
          per_page: Math.min(input.limit, pageSizeMax),
        };
        output.list(await api().list('/events', query, input.limit), [
          { title: 'EVENT', path: 'event_id' },
          { title: 'RECEIVED', path: 'received_at', kind: 'extra' },
          { title: 'STATUS', path: 'status', kind: 'state' },
          { title: 'EVENT TYPE', path: 'event_type_name', kind: 'text' },
          { title: 'LABELS', path: 'labels', kind: 'text' },
          { title: 'CONTENT TYPE', path: 'payload_content_type', kind: 'extra' },
        ]);
      },
    }),
    defineCommand({
      name: 'get',
      summary: 'Reads an event with its payload',
      examples: ['events get <event>', 'events get <event> --json'],
      fields: { event, application },
      async run({ api, output, applicationId }, input) {
        const found = await api().get(`/events/${input.event}`, { application_id: applicationId(input.application) });
        output.record(found, { leaveOut: ['payload'] });
        if (!output.isJson) {
          output.note('');
          output.text(readablePayload(membersOf(found)['payload']));
        }
      },
    }),
    defineCommand({
      name: 'deliveries',
      summary: 'Says for each subscription how far an event has come',
      examples: ['events deliveries <event>'],
      fields: { event, application, limit: wholeLimit },
      async run({ api, output, applicationId }, input) {
        const query = { application_id: applicationId(input.application) };
        const listed = await api().list(`/events/${input.event}/deliveries`, query, input.limit, 'deliveries');
        if (output.isJson) {
          output.record({ ...listed.around, deliveries: listed.rows });
          return;
        }
        output.list(listed, [
          { title: 'SUBSCRIPTION', path: 'subscription.subscription_id' },
          { title: 'STATE', path: 'state', kind: 'state' },
          { title: 'ATTEMPTS', path: 'attempts' },
          { title: 'NEXT', path: 'next_attempt.at', kind: 'extra' },
          { title: 'DESCRIPTION', path: 'subscription.description', kind: 'text' },
          { title: 'WHY', path: 'explanation', kind: 'text' },
        ]);
      },
    }),
    defineCommand({
      name: 'replay',
      summary: 'Delivers an event again to the subscriptions that match it now',
      examples: ['events replay <event>', 'events replay <event> --subscription <id>'],
      fields: { event, application, subscription: idOption('subscription', 'only to this one') },
      async run({ api, output, applicationId }, input) {
        const post = { application_id: applicationId(input.application), subscription_id: input.subscription ?? null };
        await api().post(`/events/${input.event}/replay`, post);
        output.done(`Event ${input.event} is delivered again.`, { event_id: input.event, is_replayed: true });
      },
    }),
  ],
};

/** The API gives payloads in base64. Bytes that are no text stay in it. */
function readablePayload(payload: unknown): string {
  const base64 = typeof payload === 'string' ? payload : '';
  const bytes = Buffer.from(base64, 'base64');
  return isUtf8(bytes) ? bytes.toString() : base64;
}
