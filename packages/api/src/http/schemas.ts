import { z } from 'zod';

/** A UUID in any 8-4-4-4-12 form, read as lower case. */
export const uuid = z
  .string()
  .regex(/^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/, {
    error: 'wanted a UUID such as 0192b6a0-7d3e-7c3a-9f67-3d6f5a0b1c2d',
  })
  .toLowerCase()
  .meta({ format: 'uuid' });

/** What JSON Schema can say of the texts below; PostgreSQL and headers cannot carry control characters. */
export const textPattern = String.raw`^[^\u0000-\u001f\u007f-\u009f]*$`;

/** Text that PostgreSQL and headers can carry: no control characters, no half of a surrogate pair. Bounds are in characters. */
export function text(min: number, max: number) {
  return z
    .string()
    .superRefine((value, context) => {
      const length = charactersOf(value, max);
      if (length < min || length > max) {
        const bound = length < min ? ({ code: 'too_small', minimum: min } as const) : ({ code: 'too_big', maximum: max } as const);
        context.addIssue({ ...bound, origin: 'string', inclusive: true, input: value, message: `wanted ${min} to ${max} characters` });
      }
      if (/\p{Cc}/u.test(value)) {
        context.addIssue({ code: 'custom', message: 'control characters are not allowed' });
      }
      if (!value.isWellFormed()) {
        context.addIssue({ code: 'custom', message: 'wanted well-formed Unicode' });
      }
    })
    .meta({ minLength: min, maxLength: max, pattern: textPattern });
}

/** A character outside of the first 65,536 takes two units of a string; nothing is counted that is too long either way. */
function charactersOf(value: string, max: number): number {
  const isClear = value.length <= max || value.length > 2 * max;
  return isClear ? value.length : value.length - (value.match(/[\ud800-\udbff][\udc00-\udfff]/g) ?? []).length;
}

/** Every optional member also accepts null. */
export function optional<S extends z.ZodType>(schema: S) {
  return schema.nullish().transform((value) => value ?? null);
}

/**
 * A map whose members are read by a schema. Unlike `z.record` it keeps a member named `__proto__`, which is a name like any other and must
 * not get lost.
 */
export function mapOf<V extends z.ZodType>(values: V) {
  return z
    .unknown()
    .transform((input, context): Record<string, z.output<V>> => {
      if (typeof input !== 'object' || input === null || Array.isArray(input)) {
        context.addIssue({ code: 'invalid_type', expected: 'record', input, message: 'wanted an object' });
        return z.NEVER;
      }
      const entries: [string, z.output<V>][] = [];
      for (const [name, value] of Object.entries(input)) {
        const parsed = values.safeParse(value);
        if (parsed.success) {
          entries.push([name, parsed.data]);
        }
        for (const issue of parsed.error?.issues ?? []) {
          context.addIssue({ ...issue, path: [name, ...issue.path] });
        }
      }
      return Object.fromEntries(entries);
    })
    .meta({ type: 'object', additionalProperties: inputSchemaOf(values) });
}

function inputSchemaOf(schema: z.ZodType): z.core.JSONSchema.JSONSchema {
  const { $schema: _dialect, ...members } = z.toJSONSchema(schema, { io: 'input' });
  return members;
}

/** A map of texts with bounds on its size and on the UTF-8 bytes of keys and values. */
export function textMap(bounds: { readonly entriesMax: number; readonly bytesMax: number }) {
  const { entriesMax, bytesMax } = bounds;
  const part = { minLength: 1, maxLength: bytesMax, pattern: textPattern };
  return mapOf(z.string().meta(part))
    .superRefine((map, context) => {
      const entries = Object.entries(map);
      if (entries.length > entriesMax) {
        context.addIssue({ code: 'custom', message: `wanted at most ${entriesMax} entries` });
      }
      for (const [key, value] of entries) {
        const problem = partProblemOf('key', key, bytesMax) ?? partProblemOf('value', value, bytesMax);
        if (problem !== null) {
          context.addIssue({ code: 'custom', path: [key], message: problem });
        }
      }
    })
    .meta({ maxProperties: entriesMax, propertyNames: part });
}

function partProblemOf(what: 'key' | 'value', part: string, bytesMax: number): string | null {
  const bytes = Buffer.byteLength(part);
  if (bytes < 1 || bytes > bytesMax) {
    return `wanted a ${what} of 1 to ${bytesMax} bytes`;
  }
  return /\p{Cc}/u.test(part) || !part.isWellFormed() ? `the ${what} has characters that are not allowed` : null;
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
  })
  .meta({ format: 'date-time', examples: ['2024-05-01T12:00:00Z'] });

/** As most write a time. */
const plainUtc = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{3})?Z$/;

/** The time that a text says by RFC 3339; null when it says none. */
export function readTimestamp(value: string): Date | null {
  if (plainUtc.test(value)) {
    const date = new Date(value);
    if (date.getUTCDate() === Number(value.slice(8, 10))) {
      return date;
    }
  }
  const [, day = '', time, fraction = '', offset = ''] = rfc3339.exec(value) ?? [];
  const date = new Date(`${day}T${time}${fraction.slice(0, 4)}${offset.toUpperCase()}`);
  // Date takes the 31st of a short month for the 1st of the next. From numbers, which is a third of the work of reading another text.
  const dayOfMonth = Number(day.slice(8));
  const midnight = new Date(0);
  midnight.setUTCFullYear(Number(day.slice(0, 4)), Number(day.slice(5, 7)) - 1, dayOfMonth);
  const exists = midnight.getUTCDate() === dayOfMonth;
  // An offset can lead out of the years 0000 to 9999, which are all that RFC 3339 can write in UTC.
  const year = date.getUTCFullYear();
  return exists && year >= 0 && year <= 9999 ? date : null;
}

/** The only query parameter of many routes. */
export const applicationQuery = z.object({ application_id: uuid });

/** A UUID in an answer, always lower case. */
export const sentUuid = z.string().meta({ format: 'uuid' });

/** A time in an answer: JSON writes it in RFC 3339, in UTC with `Z`. */
export const sentTime = z.date();

/** The same, written already. */
export const sentTimeText = z.string().meta({ format: 'date-time' });

/** A count in an answer, of 32 bits: older clients read no more. */
export const sentCount = z.int32().min(0);

/** A map of texts in an answer; never null. */
export const sentTextMap = z.record(z.string(), z.string());
