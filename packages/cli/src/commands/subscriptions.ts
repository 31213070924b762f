import { type CommandContext, type CommandGroup, defineCommand } from '../command.ts';
import { application, choiceOption, flag, idArgument, mapOption, textOption, textsOption, wholeLimit } from '../fields.ts';
import { membersOf } from '../http/api.ts';
import { subscriptionActions } from './subscription-actions.ts';
import { readHeaders, readMore } from './subscription-input.ts';

const subscription = idArgument('subscription', 'the subscription');

/** Subscriptions: whose events go where. */
export const subscriptions: CommandGroup = {
  name: 'subscriptions',
  summary: 'Subscriptions: which events go where',
  commands: [
    defineCommand({
      name: 'list',
      summary: 'Lists the subscriptions of an application',
      examples: ['subscriptions list'],
      fields: { application, limit: wholeLimit },
      async run({ api, output, applicationId }, input) {
        const query = { application_id: applicationId(input.application) };
        output.list(await api().list('/subscriptions', query, input.limit), [
          { title: 'SUBSCRIPTION', path: 'subscription_id' },
          { title: 'STATUS', path: 'status', kind: 'state' },
          { title: 'HOLD UNTIL', path: 'hold_until', kind: 'extra' },
          { title: 'DESCRIPTION', path: 'description', kind: 'text' },
          { title: 'EVENT TYPES', path: 'event_types', kind: 'text' },
          { title: 'LABELS', path: 'labels', kind: 'text' },
          { title: 'URL', path: 'target.url', kind: 'text' },
        ]);
      },
    }),
    defineCommand({
      name: 'create',
      summary: 'Creates a subscription and shows the secret that it signs with',
      examples: [
        'subscriptions create --url https://example.com/hook --event-type order.item.created --label tenant=acme',
        'subscriptions create --url https://example.com/hook --event-type order.item.created --more @policy.json',
      ],
      fields: {
        application,
        url: textOption('--url <url>', 'where requests go'),
        eventType: textsOption('--event-type <name>', 'an event type it takes'),
        label: mapOption('--label <key=value>', 'a label that events must have; every event of its types otherwise'),
        description: textOption('--description <text>', 'what it is for'),
        method: choiceOption('--method <method>', ['POST', 'PUT', 'PATCH', 'GET', 'DELETE', 'OPTIONS', 'HEAD'], 'POST otherwise'),
        header: textsOption('--header <name: value>', 'a header of its requests; --more @file keeps a secret one off the command line'),
        metadata: mapOption('--metadata <key=value>', 'a remark of yours'),
        worker: textsOption('--worker <name>', 'a dedicated worker'),
        disabled: flag('--disabled', 'do not deliver yet'),
        more: textOption('--more <json>', 'further members of the request as JSON; @file reads a file, @- standard input'),
      },
      async run(context, input) {
        const more = await readMore(context, input.more);
        const target = { type: 'http', method: input.method ?? 'POST', url: input.url, headers: readHeaders(input.header) };
        const created = await context.api().post('/subscriptions', {
          application_id: context.applicationId(input.application),
          is_enabled: !input.disabled,
          labels: input.label,
          metadata: input.metadata,
          ...(input.description === undefined ? {} : { description: input.description }),
          ...(input.worker.length === 0 ? {} : { dedicated_workers: input.worker }),
          ...(input.eventType.length === 0 ? {} : { event_types: input.eventType }),
          ...more,
          target: { ...target, ...membersOf(more['target']) },
        });
        context.output.record(created, { isNew: true, leaveOut: ['label_key', 'label_value', 'warnings'] });
        noteWarnings(context, created);
      },
    }),
    defineCommand({
      name: 'get',
      summary: 'Reads a subscription',
      examples: ['subscriptions get <subscription>', 'subscriptions get <subscription> --show-secrets'],
      fields: { subscription },
      async run({ api, output }, input) {
        output.record(await api().get(`/subscriptions/${input.subscription}`), { leaveOut: ['label_key', 'label_value'] });
      },
    }),
    ...subscriptionActions,
    defineCommand({
      name: 'delete',
      summary: 'Deletes a subscription and ends its deliveries',
      examples: ['subscriptions delete <subscription>'],
      fields: { subscription, application },
      async run({ api, output, applicationId }, input) {
        await api().delete(`/subscriptions/${input.subscription}`, { application_id: applicationId(input.application) });
        output.done(`Deleted subscription ${input.subscription}.`, { subscription_id: input.subscription, is_deleted: true });
      },
    }),
  ],
};

function noteWarnings({ output }: CommandContext, created: unknown): void {
  const warnings = membersOf(created)['warnings'];
  for (const warning of Array.isArray(warnings) ? warnings : []) {
    output.note(`Warning: ${String(warning)}`);
  }
}
