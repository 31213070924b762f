import { createHmac } from 'node:crypto';

/** A header that is sent: its lower-case name and its value. */
export type SentHeader = readonly [name: string, value: string];

export interface Hook0Signing {
  /** The subscription's secret as its owner sees it. */
  readonly secret: string;
  readonly timestampSeconds: number;
  /** The headers that the signature covers (v1). */
  readonly headers: CoveredHeaders;
  readonly body: Buffer;
  readonly versions: { readonly v0: boolean; readonly v1: boolean };
}

/** Headers in the order in which a signature covers them: that of their names. */
export interface CoveredHeaders {
  /** Joined by spaces. */
  readonly names: string;
  /** Trimmed and joined by dots. */
  readonly values: string;
}

/** The order of signatures for headers of certain names, which is the same for all requests that have them. */
export interface HeaderOrder {
  readonly names: string;
  /** Where each stands among the headers as they were given. */
  readonly positions: readonly number[];
}

/** Puts the names of headers into the order of signatures. */
export function orderHeaders(names: readonly string[]): HeaderOrder {
  const positions = names.map((_, position) => position).toSorted((a, b) => ((names[a] ?? '') < (names[b] ?? '') ? -1 : 1));
  return { names: positions.map((position) => names[position]).join(' '), positions };
}

/** Puts the values of headers, in the order in which their names were given, into that of signatures. */
export function coverValues({ names, positions }: HeaderOrder, values: readonly string[]): CoveredHeaders {
  return { names, values: positions.map((position) => values[position]?.trim() ?? '').join('.') };
}

/** Puts headers into the order of signatures. */
export function coverHeaders(headers: readonly SentHeader[]): CoveredHeaders {
  return coverValues(
    orderHeaders(headers.map(([name]) => name)),
    headers.map(([, value]) => value),
  );
}

/**
 * Hook0's signature header: `t=<seconds>,h=<names>,v1=<hex>`, with `v0=<hex>` where enabled. v0 is an HMAC-SHA256 over `t.body`, v1 over
 * `t.h.values.body`, `h` being the names sorted and joined by a space and `values` theirs, trimmed, joined by a dot.
 */
export function signHook0({ secret, timestampSeconds, headers, body, versions }: Hook0Signing): string {
  let signature = `t=${timestampSeconds}`;
  if (versions.v1) {
    const { names, values } = headers;
    const v1 = createHmac('sha256', secret).update(`${timestampSeconds}.${names}.${values}.`).update(body).digest('hex');
    signature += `,h=${names},v1=${v1}`;
  }
  if (versions.v0) {
    signature += `,v0=${createHmac('sha256', secret).update(`${timestampSeconds}.`).update(body).digest('hex')}`;
  }
  return signature;
}

export interface StandardSigning {
  /** The subscription's secrets, newest first: during a rotation both sign. */
  readonly secrets: readonly string[];
  /** The event's id, the same on every retry. */
  readonly id: string;
  readonly timestampSeconds: number;
  readonly body: Buffer;
}

/** The `webhook-signature` of Standard Webhooks (https://www.standardwebhooks.com): `v1,<base64>` per secret, separated by spaces. */
export function signStandard({ secrets, ...signing }: StandardSigning): string {
  return secrets.map((secret) => signStandardWithKey({ ...signing, key: secret })).join(' ');
}

/** One signature of Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`. A key that is text stands for its ASCII bytes. */
export function signStandardWithKey(signing: Omit<StandardSigning, 'secrets'> & { readonly key: Buffer | string }): string {
  const hmac = createHmac('sha256', signing.key).update(`${signing.id}.${signing.timestampSeconds}.`).update(signing.body);
  return `v1,${hmac.digest('base64')}`;
}

/** A subscription's secret in the form that libraries of Standard Webhooks take: the base64 of its ASCII bytes. */
export function standardSecret(secret: string): string {
  return `whsec_${Buffer.from(secret, 'ascii').toString('base64')}`;
}
