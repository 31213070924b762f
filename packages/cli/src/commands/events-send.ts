import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type CommandContext, defineCommand, field } from '../command.ts';
import { RefusedError, UnreachableError, UsageError } from '../failures.ts';
import { application, choiceOption, idOption, mapOption, textOption, timeOption } from '../fields.ts';
import { contentTypes, type Payload, payloadOf } from './payload.ts';

/** Sends an event whose payload comes from the command line, a file or standard input. */
export const eventsSend = defineCommand({
  name: 'send',
  summary: 'Sends an event: from the answer on it and its attempts are committed',
  examples: [
    `events send order.item.created '{"item":1}' --label tenant=acme`,
    'events send order.item.created --file order.json --label tenant=acme --label region=eu',
    'events send order.item.created < order.json',
  ],
  fields: {
    eventType: field(z.string(), '<event-type>', 'its type'),
    payload: field(z.string().optional(), '[payload]', 'its payload; standard input where neither this nor --file is given'),
    application,
    file: textOption('--file <path>', 'a file with its payload; - for standard input'),
    label: mapOption('--label <key=value>', 'a label'),
    metadata: mapOption('--metadata <key=value>', 'a remark of yours'),
    contentType: choiceOption('--content-type <type>', contentTypes, 'guessed from the payload otherwise'),
    id: idOption('id', 'its id: an id is ingested once, however often it is sent'),
    occurredAt: timeOption('--occurred-at <time>', 'when it happened, now otherwise'),
  },
  async run(context, input) {
    const applicationId = context.applicationId(input.application);
    const eventId = input.id ?? randomUUID();
    const post = {
      application_id: applicationId,
      event_id: eventId,
      event_type: input.eventType,
      ...(await readPayload(context, input)),
      occurred_at: input.occurredAt ?? new Date().toISOString(),
      labels: input.label,
      metadata: input.metadata,
    };
    context.output.record(await send(context, post));
  },
});

async function send(context: CommandContext, post: { readonly application_id: string; readonly event_id: string }): Promise<unknown> {
  try {
    return await context.api().post('/event', post);
  } catch (error) {
    if (error instanceof UnreachableError) {
      throw new UnreachableError(`${error.message}\nTo send it again without sending it twice: --id ${post.event_id}`, { cause: error });
    }
    if (error instanceof RefusedError && error.problem.id === 'EventAlreadyIngested' && error.problem.code === 'same_content') {
      context.output.note('This event was ingested before, with the same content: it is not delivered twice.');
      return { application_id: post.application_id, event_id: post.event_id, is_repeated: true };
    }
    throw error;
  }
}

async function readPayload(
  context: CommandContext,
  input: {
    readonly payload?: string | undefined;
    readonly file?: string | undefined;
    readonly contentType?: Payload['payload_content_type'] | undefined;
  },
): Promise<Payload> {
  const { payload, file, contentType } = input;
  if (payload !== undefined && file !== undefined) {
    throw new UsageError('A payload comes from the command line or from --file, not from both.');
  }
  if (payload !== undefined) {
    return payloadOf(Buffer.from(payload), { contentType });
  }
  if (file === undefined && context.isInputTerminal) {
    throw new UsageError('No payload: give it as an argument, with --file, or on standard input.');
  }
  const path = file ?? '-';
  return payloadOf(await context.readInput(path), { contentType, fileName: path });
}
