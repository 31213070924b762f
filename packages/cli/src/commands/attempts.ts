import { type CommandGroup, defineCommand } from '../command.ts';
import { application, attemptStatuses, choicesOption, idArgument, idOption, limit, textsOption, timeOption } from '../fields.ts';
import { membersOf } from '../http/api.ts';
import { attemptsTail } from './attempts-tail.ts';

const attempt = idArgument('attempt', 'the request attempt');

/** Request attempts, planned and made. */
export const attempts: CommandGroup = {
  name: 'attempts',
  summary: 'Request attempts: what is planned, under way and done',
  commands: [
    defineCommand({
      name: 'list',
      summary: 'Lists request attempts, newest first',
      examples: ['attempts list --status failed --since 1d', 'attempts list --event <id>'],
      fields: {
        application,
        event: idOption('event', 'only of this event'),
        subscription: idOption('subscription', 'only of this subscription'),
        eventType: textsOption('--event-type <name>', 'only of events of this type'),
        status: choicesOption('--status <status>', attemptStatuses, 'only in this state'),
        since: timeOption('--since <time>', 'created since'),
        until: timeOption('--until <time>', 'created until'),
        limit,
      },
      async run({ api, output, applicationId }, input) {
        const query = {
          application_id: applicationId(input.application),
          event_id: input.event,
          subscription_id: input.subscription,
          'event.event_type_names': input.eventType.join(',') || undefined,
          status: input.status.join(',') || undefined,
          min_created_at: input.since,
          max_created_at: input.until,
        };
        output.list(await api().list('/request_attempts', query, input.limit), [
          { title: 'ATTEMPT', path: 'request_attempt_id' },
          { title: 'STATUS', path: 'status.type', kind: 'state' },
          { title: 'HTTP', path: 'http_response_status' },
          { title: 'RETRY', path: 'retry_count', kind: 'extra' },
          { title: 'CREATED', path: 'created_at', kind: 'extra' },
          { title: 'EVENT TYPE', path: 'event.event_type_name', kind: 'text' },
          { title: 'SUBSCRIPTION', path: 'subscription.description', kind: 'text' },
          { title: 'EVENT', path: 'event_id', kind: 'extra' },
        ]);
      },
    }),
    attemptsTail,
    defineCommand({
      name: 'get',
      summary: 'Reads a request attempt',
      examples: ['attempts get <attempt>'],
      fields: { attempt, application },
      async run({ api, output, applicationId }, input) {
        const found = await api().get(`/request_attempts/${input.attempt}`, { application_id: applicationId(input.application) });
        output.record(found, { leaveOut: ['event.event_id'] });
        const response = membersOf(found)['response_id'];
        if (typeof response === 'string') {
          output.note(`What was answered: postrider responses get ${response}`);
        }
      },
    }),
    defineCommand({
      name: 'retry',
      summary: 'Tries once more, now',
      examples: ['attempts retry <attempt>'],
      fields: { attempt, application },
      async run({ api, output, applicationId }, input) {
        const post = { application_id: applicationId(input.application) };
        const answer = await api().post(`/request_attempts/${input.attempt}/retry`, post);
        if (answer === undefined) {
          output.done(`Attempt ${input.attempt} is tried again.`, { request_attempt_id: input.attempt, is_retried: true });
        } else {
          output.record(answer);
        }
      },
    }),
  ],
};
