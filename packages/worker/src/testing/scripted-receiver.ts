import type { DeliveryOutcome } from '@postrider/shared/domain/outcome';

export const receiverKinds = ['fast', 'slow', 'hanging', 'failing', 'throttling', 'retry_after', 'flapping', 'gone'] as const;
export type ReceiverKind = (typeof receiverKinds)[number];

/** A receiver of a simulation: says of each request when it ends, and how. */
export interface ScriptedReceiver {
  readonly kind: ReceiverKind;
  answer(nowMs: number): DeliveryOutcome;
}

export interface ReceiverOptions {
  readonly random: () => number;
  readonly timeoutMs: number;
  /** From then on everybody answers well, but for those that are gone. */
  readonly recoversAtMs: number;
}

/** Requests per second that a throttling receiver lets in. */
const admittedPerSecond = 2;
const halfPeriodMs = 10_000;

export function createReceiver(kind: ReceiverKind, options: ReceiverOptions): ScriptedReceiver {
  const { random, timeoutMs, recoversAtMs } = options;
  const shiftMs = random() * 2 * halfPeriodMs;
  const between = (fromMs: number, toMs: number): number => Math.round(fromMs + (toMs - fromMs) * random());
  const quick = (httpCode: number, retryAfterMs: number | null = null): DeliveryOutcome =>
    respond(httpCode, between(10, 200), retryAfterMs);
  let secondOf = 0;
  let admitted = 0;

  function isAdmitted(nowMs: number): boolean {
    if (Math.floor(nowMs / 1000) !== secondOf) {
      secondOf = Math.floor(nowMs / 1000);
      admitted = 0;
    }
    admitted += 1;
    return admitted <= admittedPerSecond;
  }

  function troubled(nowMs: number): DeliveryOutcome {
    switch (kind) {
      case 'fast':
        return quick(200);
      case 'slow':
        return respond(200, between(1000, 5000));
      case 'hanging':
        return { kind: 'error', errorName: 'E_TIMEOUT', message: 'no answer', elapsedMs: timeoutMs, response: null };
      case 'failing':
        return quick(random() < 0.95 ? 500 : 200);
      case 'throttling':
        return quick(isAdmitted(nowMs) ? 200 : 429);
      case 'retry_after':
        return isAdmitted(nowMs) ? quick(200) : quick(503, between(500, 12_000));
      case 'flapping':
        return quick(Math.floor((nowMs + shiftMs) / halfPeriodMs) % 2 === 0 ? 200 : 502);
      case 'gone':
        return quick(nowMs < recoversAtMs / 2 ? 200 : 410);
    }
  }

  return { kind, answer: (nowMs) => (nowMs < recoversAtMs || kind === 'gone' ? troubled(nowMs) : quick(200)) };
}

function respond(httpCode: number, elapsedMs: number, retryAfterMs: number | null = null): DeliveryOutcome {
  return {
    kind: 'response',
    response: { httpCode, headers: {}, body: Buffer.alloc(0), bodyTruncated: false },
    elapsedMs,
    retryAfterMs,
  };
}
