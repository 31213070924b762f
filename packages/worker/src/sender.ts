import type { SubscriptionForDelivery } from '@postrider/shared/database/queries/load-subscriptions';
import type { DeliveryOutcome } from '@postrider/shared/domain/outcome';
import { type SecretsKey, unseal } from '@postrider/shared/secrets/sealed-secret';
import type { LoadedAttempt } from './attempt.ts';
import { buildRequest, type PreparedTarget, prepareTarget, type Signing, type Unbuildable } from './http/build-request.ts';
import type { Sender } from './http/send-request.ts';

/** A subscription's target and secret, ready for its requests; or why there can be none. */
export type PreparedSubscription =
  | {
      readonly kind: 'ready';
      readonly target: PreparedTarget;
      readonly secrets: readonly [string, ...string[]];
      readonly timeoutMs: number | null;
    }
  | Unbuildable
  /** Its secret does not open: the process has another key than the one it was sealed with. */
  | { readonly kind: 'own_fault'; readonly message: string };

export interface PrepareOptions {
  readonly secretsKey: SecretsKey;
  readonly signatureHeaderName: string;
  readonly requireHttps: boolean;
  readonly onSecretUnreadable: (error: unknown, subscriptionId: string) => void;
}

/** Reads target and secret once for as long as the subscription does not change. */
export function prepareSubscription(options: PrepareOptions, row: SubscriptionForDelivery): PreparedSubscription {
  const target = prepareTarget({ method: row.target_method, url: row.target_url, headers: row.target_headers }, options);
  if (target.kind === 'invalid') {
    return target;
  }
  try {
    const open = (sealed: Buffer): string => unseal(options.secretsKey, sealed, `subscription:${row.subscription_id}`);
    return {
      kind: 'ready',
      target,
      secrets: [open(row.secret_sealed), ...row.previous_secrets_sealed.map(open)],
      timeoutMs: row.timeout_ms,
    };
  } catch (error) {
    options.onSecretUnreadable(error, row.subscription_id);
    return { kind: 'own_fault', message: 'the secret of the subscription cannot be read with the SECRETS_KEY of this worker' };
  }
}

export interface AttemptSenderOptions {
  readonly sender: Sender;
  readonly signing: Signing;
  readonly userAgent: string;
  /** Milliseconds since 1970. */
  readonly epochNow: () => number;
}

/** Builds, signs and sends one attempt, and tells once what came of it. */
export function createAttemptSender(options: AttemptSenderOptions) {
  return (attempt: LoadedAttempt, prepared: PreparedSubscription, onOutcome: (outcome: DeliveryOutcome) => void): void => {
    if (prepared.kind !== 'ready') {
      onOutcome(unsent(prepared));
      return;
    }
    const built = buildRequest({
      attempt: attempt.held,
      event: attempt.event,
      target: prepared.target,
      secrets: prepared.secrets,
      signing: options.signing,
      userAgent: options.userAgent,
      timestampSeconds: Math.floor(options.epochNow() / 1000),
    });
    if (built.kind === 'request') {
      options.sender.send(built, prepared.timeoutMs, onOutcome);
    } else {
      onOutcome(unsent(built));
    }
  };
}

function unsent(reason: Exclude<PreparedSubscription, { readonly kind: 'ready' }>): DeliveryOutcome {
  return reason.kind === 'own_fault'
    ? { kind: 'own_fault', message: reason.message, elapsedMs: 0 }
    : { kind: 'error', errorName: reason.errorName, message: reason.message, elapsedMs: 0, response: null };
}
