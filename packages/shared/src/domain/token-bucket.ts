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
  const { granted, ...standing } = takeTokens(limit, fullAtMs, { nowMs, wanted: 1 });
  return { ...standing, isTaken: granted === 1 };
}

/** The same for as many tokens as there are, up to those that are wanted. */
export function takeTokens(
  { burst, periodMs }: BucketLimit,
  fullAtMs: number,
  { nowMs, wanted }: { readonly nowMs: number; readonly wanted: number },
): Omit<TakenToken, 'isTaken'> & { readonly granted: number; readonly fullAtMs: number } {
  const from = Math.max(fullAtMs, nowMs);
  const granted = Math.max(0, Math.min(wanted, Math.floor(tokensIn({ burst, periodMs }, from - nowMs))));
  const after = from + granted * periodMs;
  const fullInMs = after - nowMs;
  return {
    granted,
    remaining: Math.max(0, Math.floor(tokensIn({ burst, periodMs }, fullInMs))),
    fullInMs,
    nextInMs: Math.max(0, fullInMs - (burst - 1) * periodMs),
    fullAtMs: after,
  };
}

/** A millionth of a token is added, since sums of fractions of milliseconds can fall short of what they stand for. */
function tokensIn({ burst, periodMs }: BucketLimit, fullInMs: number): number {
  return burst - fullInMs / periodMs + 1e-6;
}
