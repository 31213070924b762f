/** A bucket holds up to `burst` tokens; one comes back every `periodMs`. */
export interface BucketLimit {
  readonly burst: number;
  readonly periodMs: number;
}

/** What came of asking a bucket for a token, and how it stands afterwards. */
export interface TakenToken {
  readonly isTaken: boolean;
  /** Whole tokens that are left. */
  readonly remaining: number;
  /** Until it is full again, if nobody asks. */
  readonly fullInMs: number;
  /** Until there is a token to take; 0 when there is one. */
  readonly nextInMs: number;
}

/**
 * Takes a token from a bucket. All that is known of the bucket is when it will be full (the generic cell rate algorithm): nothing has to
 * run to fill it, a bucket that was never seen is one that is full already, and no rounding adds up.
 */
export function takeToken(limit: BucketLimit, fullAtMs: number, nowMs: number): TakenToken & { readonly fullAtMs: number } {
  const { burst, periodMs } = limit;
  const from = Math.max(fullAtMs, nowMs);
  const isTaken = tokensIn(limit, from - nowMs) >= 1;
  const after = isTaken ? from + periodMs : from;
  const fullInMs = after - nowMs;
  return {
    isTaken,
    remaining: Math.max(0, Math.floor(tokensIn(limit, fullInMs))),
    fullInMs,
    nextInMs: Math.max(0, fullInMs - (burst - 1) * periodMs),
    fullAtMs: after,
  };
}

/** A millionth of a token is added, since sums of fractions of milliseconds can fall short of what they stand for. */
function tokensIn({ burst, periodMs }: BucketLimit, fullInMs: number): number {
  return burst - fullInMs / periodMs + 1e-6;
}
