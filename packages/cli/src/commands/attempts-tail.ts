import { setTimeout as wait } from 'node:timers/promises';
import { type CommandContext, defineCommand } from '../command.ts';
import { RefusedError, UnreachableError } from '../failures.ts';
import { application, attemptStatuses, choicesOption, countOption, idOption, textsOption } from '../fields.ts';
import { AttemptFollower, type FollowedAttempt } from './attempt-follower.ts';

const intervalMs = 1000;
/** Between tries while the API is away. */
const intervalAwayMs = 3000;

/** Shows attempts as they come and change. */
export const attemptsTail = defineCommand({
  name: 'tail',
  summary: 'Shows new and changed request attempts as they come, until Ctrl-C; with --json one document per line',
  examples: ['attempts tail', 'attempts tail --status failed --subscription <id>', 'attempts tail --json | jq .status'],
  fields: {
    application,
    event: idOption('event', 'only of this event'),
    subscription: idOption('subscription', 'only of this subscription'),
    eventType: textsOption('--event-type <name>', 'only of events of this type'),
    status: choicesOption('--status <status>', attemptStatuses, 'only when they get into this state'),
    last: countOption('--last <attempts>', 'attempts to begin with', 10),
  },
  async run(context, input) {
    const { stopped } = context;
    const follower = new AttemptFollower(context.api(), {
      application_id: context.applicationId(input.application),
      event_id: input.event,
      subscription_id: input.subscription,
      'event.event_type_names': input.eventType.join(',') || undefined,
    });
    // Filtered here: the list by status would not tell when an attempt gets into one.
    const wanted = new Set<string>(input.status);
    const show = (attempts: readonly FollowedAttempt[]) => {
      for (const attempt of attempts.filter(({ status }) => wanted.size === 0 || wanted.has(status.type))) {
        showAttempt(context, attempt);
      }
    };
    show(await follower.begin(input.last));
    while (!stopped.aborted) {
      await pause(intervalMs, stopped);
      show(await pollPatiently(context, follower));
      if (follower.isBehind()) {
        context.output.note('More happens than can be shown: attempts are left out. --subscription and --event-type narrow it down.');
      }
    }
  },
});

/** A server that is away for a moment, or has too much to do, does not end the tail: what happens meanwhile is shown afterwards. */
async function pollPatiently({ output, stopped }: CommandContext, follower: AttemptFollower): Promise<readonly FollowedAttempt[]> {
  let isAway = false;
  while (!stopped.aborted) {
    try {
      return await follower.poll();
    } catch (error) {
      if (!stopped.aborted && !isTemporary(error)) {
        throw error;
      }
      if (!stopped.aborted && !isAway) {
        isAway = true;
        output.note(`${error instanceof Error ? error.message : String(error)}\nTrying again until it answers.`);
      }
      const retryAfterMs = error instanceof RefusedError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
      await pause(Math.max(intervalAwayMs, retryAfterMs), stopped);
    }
  }
  return [];
}

/** Waits, or until Ctrl-C. */
async function pause(ms: number, stopped: AbortSignal): Promise<void> {
  try {
    await wait(ms, undefined, { signal: stopped });
  } catch (error) {
    if (!stopped.aborted) {
      throw error;
    }
  }
}

function isTemporary(error: unknown): boolean {
  return error instanceof UnreachableError || (error instanceof RefusedError && (error.status === 429 || error.status >= 500));
}

function showAttempt({ output }: CommandContext, attempt: FollowedAttempt): void {
  const { status, event, subscription } = attempt;
  const at = new Date(status.at ?? status.since ?? attempt.created_at);
  output.streamed(attempt, [
    { text: at.toISOString().slice(11, 23), width: 12 },
    { text: status.type, width: 11, isState: true },
    { text: String(attempt.http_response_status ?? '-'), width: 3 },
    { text: attempt.retry_count === 0 ? 'first' : `retry ${attempt.retry_count}`, width: 8 },
    { text: attempt.request_attempt_id, width: 36 },
    { text: event.event_type_name, width: 24 },
    { text: subscription.description ?? subscription.subscription_id, width: 0 },
  ]);
}
