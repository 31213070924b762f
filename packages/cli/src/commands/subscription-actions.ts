import { z } from 'zod';
import { type Command, defineCommand, field } from '../command.ts';
import { application, idArgument, mapOption, textOption } from '../fields.ts';
import { membersOf } from '../http/api.ts';
import { rewritten } from './subscription-input.ts';

const subscription = idArgument('subscription', 'the subscription');

/** What can be done with a subscription. */
export const subscriptionActions: readonly Command[] = [
  holding('pause', 'Pauses a subscription: its attempts wait and are kept', 'Paused'),
  holding('resume', 'Resumes a subscription that is paused or on hold: what waited is delivered', 'Resumed'),
  switching('enable', 'Enables a subscription', true),
  switching('disable', 'Disables a subscription: what waits ends as cancelled', false),
  defineCommand({
    name: 'test',
    summary: 'Sends a signed sample through the workers',
    examples: ['subscriptions test <subscription>'],
    fields: { subscription },
    async run({ api, output }, input) {
      const answer = await api().post(`/subscriptions/${input.subscription}/test`, {});
      output.record(answer);
      const attempt = membersOf(answer)['request_attempt_id'];
      if (typeof attempt === 'string') {
        output.note(`What became of it: postrider attempts get ${attempt}`);
      }
    },
  }),
  defineCommand({
    name: 'rotate-secret',
    summary: 'Makes a new signing secret and shows it',
    examples: ['subscriptions rotate-secret <subscription> --overlap 24h'],
    fields: {
      subscription,
      overlap: textOption('--overlap <duration>', 'how long the old secret signs beside it, such as 24h; 0s ends it at once'),
    },
    async run({ api, output }, input) {
      const answer = await api().post(`/subscriptions/${input.subscription}/rotate_secret`, { overlap: input.overlap ?? null });
      output.record(answer, { isNew: true });
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
      const read = matchAnswer.safeParse(answer);
      if (output.isJson || !read.success) {
        output.record(answer);
        return;
      }
      const rows = read.data.subscriptions.map((row) => ({ ...row, reasons: row.reasons.map(describeReason) }));
      output.list({ rows, hasMore: false }, [
        { title: 'SUBSCRIPTION', path: 'subscription_id' },
        { title: 'DELIVERED', path: 'delivery', kind: 'state' },
        { title: 'WHY', path: 'reasons', kind: 'text' },
        { title: 'DESCRIPTION', path: 'description', kind: 'text' },
      ]);
    },
  }),
];

const reason = z.looseObject({ code: z.string(), label: z.string().nullish(), wanted: z.string().nullish(), got: z.string().nullish() });
const matchAnswer = z.looseObject({ subscriptions: z.array(z.looseObject({ reasons: z.array(reason) })) });

function describeReason({ code, label, wanted, got }: z.output<typeof reason>): string {
  if (label === null || label === undefined) {
    return code.replaceAll('_', ' ');
  }
  return got === null || got === undefined ? `label ${label}=${wanted} is missing` : `label ${label} is ${got}, not ${wanted}`;
}

function holding(name: 'pause' | 'resume', summary: string, done: string): Command {
  return defineCommand({
    name,
    summary,
    examples: [`subscriptions ${name} <subscription>`],
    fields: { subscription },
    async run({ api, output }, input) {
      const answer = await api().post(`/subscriptions/${input.subscription}/${name}`, {});
      const document = answer ?? { subscription_id: input.subscription, is_paused: name === 'pause' };
      output.done(`${done} subscription ${input.subscription}.`, document);
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
