import { z } from 'zod';
import { mapOf, optional, sentTextMap, sentTime, sentUuid, text, textMap, uuid } from '../http/schemas.ts';
import { policyMembers, policyViewMembers } from './subscription-policies.ts';

const urlLengthMax = 1000;
const targetHeadersMax = 10;
const headerValueLengthMax = 500;

const methods = ['GET', 'PATCH', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'] as const;

/** Headers that the connection or we ourselves write. */
const refusedHeaders: ReadonlySet<string> = new Set(['host', 'content-length', 'transfer-encoding', 'connection', 'user-agent']);

const headerNamePattern = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;
const headerName = z
  .string()
  .regex(headerNamePattern, { error: 'wanted the name of an HTTP header' })
  .refine((name) => !refusedHeaders.has(name.toLowerCase()), { error: 'this header may not be set' });
const headerValue = z
  .string({ error: 'wanted a text or a list of texts' })
  .max(headerValueLengthMax)
  .regex(/^[\x20-\x7e]*$/, { error: 'wanted visible ASCII characters' });

const targetHeaders = mapOf(z.union([headerValue, z.array(headerValue).min(1).max(10)]))
  .superRefine((headers, context) => {
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
  })
  .meta({ maxProperties: targetHeadersMax, propertyNames: { pattern: headerNamePattern.source } });

const target = z.object({
  type: z.literal('http', { error: 'wanted "http"' }),
  method: z
    .string()
    .toUpperCase()
    .pipe(z.enum(methods))
    .meta({ enum: [...methods] }),
  url: z
    .string()
    .min(1)
    .max(urlLengthMax)
    .refine((url) => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol), { error: 'wanted an http or https URL' })
    // Parsers of URLs take them; PostgreSQL does not, and what is answered would not be what was sent.
    .refine((url) => !/\p{Cc}/u.test(url) && url.isWellFormed(), { error: 'control characters and broken Unicode are not allowed' })
    .meta({ format: 'uri', pattern: String.raw`^[Hh][Tt][Tt][Pp][Ss]?:[^\u0000-\u001f\u007f-\u009f]*$` }),
  headers: optional(targetHeaders),
});

/** What a client sends as a subscription. */
export const subscriptionPost = z
  .object({
    application_id: uuid,
    is_enabled: z.boolean(),
    event_types: z.array(text(1, 200)).min(1).max(100),
    description: optional(text(1, 100)),
    metadata: optional(textMap({ entriesMax: 50, bytesMax: 100 })),
    labels: optional(textMap({ entriesMax: 10, bytesMax: 100 })).meta({
      description: 'Events must have all of them; `{}` matches every event of the types.',
    }),
    label_key: optional(text(1, 100)).meta({ deprecated: true, description: 'The older form of one label, with label_value.' }),
    label_value: optional(text(1, 100)).meta({ deprecated: true, description: 'The older form of one label, with label_key.' }),
    target,
    dedicated_workers: optional(z.array(text(1, 100)).min(1).max(20)).meta({
      description: 'Names of the workers that deliver for it, and no others.',
    }),
    ...policyMembers,
  })
  .meta({ id: 'SubscriptionPost' });

export type SubscriptionPost = z.output<typeof subscriptionPost>;

export const subscriptionParams = z.object({ subscription_id: uuid });

export const subscriptionView = z
  .object({
    application_id: sentUuid,
    subscription_id: sentUuid,
    is_enabled: z.boolean(),
    disabled_reason: z.string().nullable(),
    is_paused: z.boolean(),
    paused_at: sentTime.nullable(),
    status: z.enum(['disabled', 'paused', 'held', 'recovering', 'limited', 'active']).meta({
      description: 'How it is delivered to at present: `held` not before `hold_until`, `recovering` and `limited` slower than it could be.',
    }),
    hold_until: sentTime.nullable().meta({ description: 'Nothing is sent before.' }),
    why: z.string().nullable().meta({ description: 'What the status comes from, in a sentence.' }),
    failing_since: sentTime.nullable().meta({ description: 'Since when every request failed.' }),
    event_types: z.array(z.string()),
    description: z.string().nullable(),
    secret: sentUuid,
    standard_webhooks_secret: z.string(),
    /** When the last of the secrets before this one stops signing. */
    previous_secret_ends_at: sentTime.nullable(),
    metadata: sentTextMap,
    label_key: z.string(),
    label_value: z.string(),
    labels: sentTextMap,
    target: z.object({
      type: z.literal('http'),
      method: z.string().meta({ enum: [...methods] }),
      url: z.string(),
      headers: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
    }),
    created_at: sentTime,
    updated_at: sentTime,
    dedicated_workers: z.array(z.string()),
    ...policyViewMembers,
  })
  .meta({ id: 'Subscription' });

/** The answer of creation and change. */
export const writtenSubscriptionView = subscriptionView.extend({ warnings: z.array(z.string()) }).meta({ id: 'WrittenSubscription' });
