import { type Command, type CommandContext, defineCommand, field } from '../command.ts';
import { application, idArgument, mapOption } from '../fields.ts';
import { membersOf } from '../http/api.ts';
import { z } from 'zod';
import { rewritten } from './subscription-input.ts';

const subscription = idArgument('subscription', 'the subscription');

/** What can be done with a subscription. */
export const subscriptionActions: readonly Command[] = [
  holding('pause', 'Pauses a subscription: its attempts wait and are kept', 'Paused'),
  holding('resume', 'Resumes a paused subscription', 'Resumed'),
  switching('enable', 'Enables a subscription', true),
  switching('disable', 'Disables a subscription: what waits ends as cancelled', false),
  defineCommand({
    name: 'test',
    summary: 'Sends a signed sample through the workers',
    examples: ['subscriptions test <subscription>'],
    fields: { subscription, application },
    async run(context, input) {
      const answer = await act(context, input, 'test');
      context.output.record(answer);
      const attempt = membersOf(answer)['request_attempt_id'];
      if (typeof attempt === 'string') {
        context.output.note(`What became of it: postrider attempts get ${attempt}`);
      }
    },
  }),
  defineCommand({
    name: 'rotate-secret',
    summary: 'Makes a new signing secret and shows it',
    examples: ['subscriptions rotate-secret <subscription> --overlap 24h'],
    fields: {
      subscription,
      application,
      overlap: field(z.string().optional(), '--overlap <duration>', 'how long the old secret signs as well, such as 24h'),
    },
    async run(context, input) {
      const answer = await act(context, input, 'rotate_secret', input.overlap === undefined ? {} : { overlap: input.overlap });
      context.output.record(answer, { isNew: true, leaveOut: ['label_key', 'label_value'] });
    },
  }),
  defineCommand({
    name: 'match',
    summary: 'Says which subscriptions would get an event, and why the others not',
    examples: ['subscriptions match order.item.created --label tenant=acme'],
    fields: {
      eventType: field(z.string(), '<event-type>', 'the type of the event'),
      application,
      label: mapOption('--label <key=value>', 'a label of the event'),
    },
    async run({ api, output, applicationId }, input) {
      const post = { application_id: applicationId(input.application), event_type: input.eventType, labels: input.label };
      const answer = await api().post('/subscriptions/match', post);
      if (output.isJson || !Array.isArray(answer)) {
        output.record(answer);
        return;
      }
      output.list({ rows: answer, hasMore: false }, [
        { title: 'SUBSCRIPTION', path: 'subscription_id' },
        { title: 'MATCHES', path: 'matches', kind: 'state' },
        { title: 'WHY', path: 'reasons', kind: 'text' },
        { title: 'DESCRIPTION', path: 'description', kind: 'text' },
      ]);
    },
  }),
];

interface SubscriptionInput {
  readonly subscription: string;
  readonly application?: string | undefined;
}

function act(context: CommandContext, input: SubscriptionInput, action: string, more: Readonly<Record<string, unknown>> = {}) {
  const post = { application_id: context.applicationId(input.application), ...more };
  return context.api().post(`/subscriptions/${input.subscription}/${action}`, post);
}

function holding(name: 'pause' | 'resume', summary: string, done: string): Command {
  return defineCommand({
    name,
    summary,
    examples: [`subscriptions ${name} <subscription>`],
    fields: { subscription, application },
    async run(context, input) {
      await act(context, input, name);
      context.output.done(`${done} subscription ${input.subscription}.`, {
        subscription_id: input.subscription,
        is_paused: name === 'pause',
      });
    },
  });
}

function switching(name: 'enable' | 'disable', summary: string, isEnabled: boolean): Command {
  return defineCommand({
    name,
    summary,
    examples: [`subscriptions ${name} <subscription>`],
    fields: { subscription },
    async run({ api, output }, input) {
      const path = `/subscriptions/${input.subscription}`;
      const before = membersOf(await api().get(path));
      await api().put(path, rewritten(before, { is_enabled: isEnabled }));
      output.done(`${isEnabled ? 'Enabled' : 'Disabled'} subscription ${input.subscription}.`, {
        subscription_id: input.subscription,
        is_enabled: isEnabled,
      });
    },
  });
}
