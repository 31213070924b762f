/** Why a request attempt failed, by name; operators and clients see these names. */
export type DeliveryErrorName = 'E_INVALID_TARGET' | 'E_INVALID_HEADER' | 'E_DNS' | 'E_CONNECTION' | 'E_TIMEOUT' | 'E_HTTP' | 'E_UNKNOWN';

/** What a receiver answered, as far as we read it. */
export interface CapturedResponse {
  readonly httpCode: number;
  /** Lower-case names; repeated headers are joined by a comma and a space. */
  readonly headers: Readonly<Record<string, string>>;
  /** The first bytes of the body, at most the configured limit. */
  readonly body: Buffer;
  readonly bodyTruncated: boolean;
}

/** What sending one request attempt produced. */
export type DeliveryOutcome =
  | {
      readonly kind: 'response';
      readonly response: CapturedResponse;
      readonly elapsedMs: number;
      /** The receiver's `Retry-After`, in milliseconds from now; null when absent or unreadable. */
      readonly retryAfterMs: number | null;
    }
  | {
      readonly kind: 'error';
      readonly errorName: Exclude<DeliveryErrorName, 'E_HTTP'>;
      /** The reason in words; shown to operators in place of a response body. */
      readonly message: string;
      readonly elapsedMs: number;
      /** The head of a response whose body failed to arrive; null when none arrived. */
      readonly response: CapturedResponse | null;
    }
  | {
      /** A fault on our side (out of sockets or memory): the attempt does not count against its receiver. */
      readonly kind: 'own_fault';
      readonly message: string;
      readonly elapsedMs: number;
    };

/** Only 2xx counts as delivered; redirects are not followed and fail. */
export function isSuccess(outcome: DeliveryOutcome): boolean {
  return outcome.kind === 'response' && outcome.response.httpCode >= 200 && outcome.response.httpCode < 300;
}
