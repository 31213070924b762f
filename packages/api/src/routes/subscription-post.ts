import { isIP } from 'node:net';
import { isForbiddenAddress } from '@postrider/shared/domain/forbidden-address';
import { z } from 'zod';
import { optional, text, textMap, uuid } from '../http/schemas.ts';
import { policyMembers } from '../schemas/subscription-policies.ts';
import { ProblemError } from '../problems.ts';

const urlLengthMax = 1000;
const targetHeadersMax = 10;
const headerValueLengthMax = 500;

/** Headers that the connection or we ourselves write. */
const refusedHeaders: ReadonlySet<string> = new Set(['host', 'content-length', 'transfer-encoding', 'connection', 'user-agent']);

const headerName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, { error: 'wanted the name of an HTTP header' })
  .refine((name) => !refusedHeaders.has(name.toLowerCase()), { error: 'this header may not be set' });
const headerValue = z
  .string({ error: 'wanted a text or a list of texts' })
  .max(headerValueLengthMax)
  .regex(/^[\x20-\x7e]*$/, { error: 'wanted visible ASCII characters' });

const targetHeaders = z.record(z.string(), z.union([headerValue, z.array(headerValue).min(1).max(10)])).superRefine((headers, context) => {
  const names = Object.keys(headers);
  if (names.length > targetHeadersMax) {
    context.addIssue({ code: 'custom', message: `wanted at most ${targetHeadersMax} headers` });
  }
  for (const name of names) {
    const parsed = headerName.safeParse(name);
    if (!parsed.success) {
      context.addIssue({ code: 'custom', path: [name], message: parsed.error.issues[0]?.message ?? 'not a header name' });
    }
  }
});

const target = z.object({
  type: z.literal('http', { error: 'wanted "http"' }),
  method: z
    .string()
    .toUpperCase()
    .pipe(z.enum(['GET', 'PATCH', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'])),
  url: z
    .string()
    .min(1)
    .max(urlLengthMax)
    .refine((url) => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol), { error: 'wanted an http or https URL' }),
  headers: optional(targetHeaders),
});

/** What a client sends as a subscription. */
export const subscriptionPost = z.object({
  application_id: uuid,
  is_enabled: z.boolean(),
  event_types: z.array(text(1, 200)).min(1).max(100),
  description: optional(text(1, 100)),
  metadata: optional(textMap({ entriesMax: 50, bytesMax: 100 })),
  labels: optional(textMap({ entriesMax: 10, bytesMax: 100 })),
  label_key: optional(text(1, 100)),
  label_value: optional(text(1, 100)),
  target,
  dedicated_workers: optional(z.array(text(1, 100)).min(1).max(20)),
  ...policyMembers,
});

export type SubscriptionPost = z.output<typeof subscriptionPost>;

/** The labels that events must have: the map, or the older pair. An empty map matches every event of the types. */
export function labelsOf(post: SubscriptionPost): Record<string, string> {
  if (post.labels) {
    return post.labels;
  }
  if (post.label_key === null || post.label_value === null) {
    throw new ProblemError('LabelsAmbiguity');
  }
  return { [post.label_key]: post.label_value };
}

/** Headers as they are stored: a list of one is a plain text. */
export function headersOf(post: SubscriptionPost): Record<string, string | string[]> {
  const entries = Object.entries(post.target.headers ?? {});
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value !== 'string' && value.length === 1 ? (value[0] ?? '') : value]),
  );
}

/** What is allowed and probably not meant. Workers judge the addresses when they connect. */
export function warningsOf(post: SubscriptionPost): string[] {
  const url = new URL(post.target.url);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const warnings: string[] = [];
  if (url.protocol === 'http:') {
    warnings.push('target.url is plain http: payloads can be read and changed on their way.');
  }
  if ((isIP(host) !== 0 && isForbiddenAddress(host, [])) || host === 'localhost' || host.endsWith('.localhost')) {
    warnings.push('target.url leads to a private address, which workers refuse unless they are told to allow it.');
  }
  return warnings;
}
