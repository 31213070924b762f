import { normalizeUuid } from '@postrider/shared/domain/ids';
import { z } from 'zod';

/** A UUID in any 8-4-4-4-12 form, read as lower case. */
export const uuid = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i, {
    error: 'wanted a UUID such as 0192b6a0-7d3e-7c3a-9f67-3d6f5a0b1c2d',
  })
  .transform((value) => normalizeUuid(value) ?? value);

/** Text that PostgreSQL and headers can carry: no control characters, no half of a surrogate pair. Bounds are in characters. */
export function text(min: number, max: number) {
  return z
    .string()
    .min(min, { error: `wanted ${min} to ${max} characters` })
    .max(max, { error: `wanted ${min} to ${max} characters` })
    .refine((value) => !/\p{Cc}/u.test(value), { error: 'control characters are not allowed' })
    .refine((value) => value.isWellFormed(), { error: 'wanted well-formed Unicode' });
}

/** Every optional member also accepts null. */
export function optional<S extends z.ZodType>(schema: S) {
  return schema.nullish().transform((value) => value ?? null);
}

/** A map of texts with bounds on its size and on the UTF-8 bytes of keys and values. */
export function textMap(bounds: { readonly entriesMax: number; readonly bytesMax: number }) {
  const { entriesMax, bytesMax } = bounds;
  return z.record(z.string(), z.string()).superRefine((map, context) => {
    const entries = Object.entries(map);
    if (entries.length > entriesMax) {
      context.addIssue({ code: 'custom', message: `wanted at most ${entriesMax} entries` });
    }
    for (const [key, value] of entries) {
      for (const [what, part] of [
        ['key', key],
        ['value', value],
      ] as const) {
        const bytes = Buffer.byteLength(part);
        if (bytes < 1 || bytes > bytesMax) {
          context.addIssue({ code: 'custom', path: [key], message: `wanted a ${what} of 1 to ${bytesMax} bytes` });
        } else if (/\p{Cc}/u.test(part) || !part.isWellFormed()) {
          context.addIssue({ code: 'custom', path: [key], message: `the ${what} has characters that are not allowed` });
        }
      }
    }
  });
}

const rfc3339 = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;

/** RFC 3339 with any offset, up to nine fraction digits, `T` or a space; kept to the millisecond. */
export const timestamp = z
  .string()
  .regex(rfc3339, { error: 'wanted a date and time such as 2024-05-01T12:00:00Z' })
  .transform((value, context) => {
    const date = readTimestamp(value);
    if (date === null) {
      context.addIssue({ code: 'invalid_format', format: 'datetime', message: 'wanted a date and time that exist' });
      return z.NEVER;
    }
    return date;
  });

function readTimestamp(value: string): Date | null {
  const [, day = '', time, fraction = '', offset = ''] = rfc3339.exec(value) ?? [];
  const midnight = new Date(`${day}T00:00:00Z`);
  const date = new Date(`${day}T${time}${fraction.slice(0, 4)}${offset.toUpperCase()}`);
  // Date takes the 31st of a short month for the 1st of the next.
  const exists = !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
  // An offset can lead out of the years 0000 to 9999, which are all that RFC 3339 can write in UTC.
  return exists && !Number.isNaN(date.getTime()) && /^\d{4}-/.test(date.toISOString()) ? date : null;
}

/** The only query parameter of many routes. */
export const applicationQuery = z.object({ application_id: uuid });

/** A UUID in an answer, always lower case. */
export const sentUuid = z.string().meta({ format: 'uuid' });

/** A time in an answer: JSON writes it in RFC 3339, in UTC with `Z`. */
export const sentTime = z.date();

/** A count in an answer, of 32 bits: older clients read no more. */
export const sentCount = z.int32().min(0);
