import { asksToWait } from '@postrider/shared/domain/next-step';
import type { NextStep } from '@postrider/shared/domain/next-step';
import type { DeliveryOutcome } from '@postrider/shared/domain/outcome';
import type { HealthSignal } from '@postrider/shared/domain/subscription-health';

const succeeded: HealthSignal = { kind: 'succeeded' };
const failed: HealthSignal = { kind: 'failed' };
const declined: HealthSignal = { kind: 'declined' };

/** Statuses that are about the request and not about who receives it (RFC 9110, section 15.5; RFC 4918, section 11.2). */
const statusesAboutTheEvent: ReadonlySet<number> = new Set([400, 409, 413, 415, 422]);

/** What an outcome says about its receiver; null when it says nothing: the fault was ours, or the event cannot be sent to anybody. */
export function healthSignalOf(outcome: DeliveryOutcome, nextStep: NextStep): HealthSignal | null {
  if (nextStep.kind === 'succeed') {
    return succeeded;
  }
  if (outcome.kind === 'own_fault' || (nextStep.kind === 'give_up' && nextStep.reason === 'invalid_header')) {
    return null;
  }
  if (outcome.kind === 'response' && statusesAboutTheEvent.has(outcome.response.httpCode)) {
    return declined;
  }
  return asksToWait(outcome) ? { kind: 'throttled', retryAfterMs: outcome.retryAfterMs } : failed;
}
