import { normalizeUuid } from '../domain/ids.ts';
import { formatByteSize, parseByteSize } from './byte-size.ts';
import { formatDuration, parseDurationMs } from './duration.ts';
import type { ParsedSetting, Setting } from './settings.ts';

/** What every declaration says of itself. */
export interface SettingText {
  readonly name: string;
  readonly group: string;
  readonly description: string;
  readonly sensitive?: boolean;
  readonly emptyIsSet?: boolean;
  /** What documentation says when the default is worked out elsewhere. */
  readonly defaultText?: string;
}

interface Kind<T> {
  readonly parse: (raw: string) => ParsedSetting<T>;
  readonly show: (value: T) => string | number | boolean;
}

/** A setting with a default of its kind. */
function withDefault<T>(text: SettingText, kind: Kind<T>, value: T): Setting<T> {
  return {
    ...textOf(text),
    defaultText: text.defaultText ?? String(kind.show(value)),
    parse: kind.parse,
    fallback: { value },
    show: kind.show,
  };
}

function required<T>(text: SettingText, kind: Kind<T>): Setting<T> {
  return { ...textOf(text), defaultText: null, parse: kind.parse, fallback: undefined, show: kind.show };
}

function optional<T>(text: SettingText, kind: Kind<T>): Setting<T | null> {
  return {
    ...textOf(text),
    defaultText: text.defaultText ?? 'unset',
    parse: kind.parse,
    fallback: { value: null },
    show: (value) => (value === null ? null : kind.show(value)),
  };
}

function textOf(text: SettingText) {
  return {
    name: text.name,
    group: text.group,
    description: text.description,
    sensitive: text.sensitive ?? false,
    emptyIsSet: text.emptyIsSet ?? false,
  };
}

/** What is read by a function that answers null for what it does not take. */
function kindOf<T>(read: (raw: string) => T | null, wants: string, show: (value: T) => string | number | boolean): Kind<T> {
  return {
    parse(raw) {
      const value = read(raw);
      return value === null ? { ok: false, wants } : { ok: true, value };
    },
    show,
  };
}

function integerKind(bounds: { readonly min: number; readonly max: number }): Kind<number> {
  return kindOf(
    (raw) => (/^\d{1,15}$/.test(raw) && Number(raw) >= bounds.min && Number(raw) <= bounds.max ? Number(raw) : null),
    `a whole number from ${bounds.min} to ${bounds.max}`,
    (value) => value,
  );
}

function durationKind(bounds: { readonly minMs: number; readonly maxMs: number }): Kind<number> {
  return kindOf(
    (raw) => {
      const valueMs = parseDurationMs(raw);
      return valueMs !== null && valueMs >= bounds.minMs && valueMs <= bounds.maxMs ? valueMs : null;
    },
    `a duration such as 15s, 5m or 1h, from ${formatDuration(bounds.minMs)} to ${formatDuration(bounds.maxMs)}`,
    formatDuration,
  );
}

const textKind = kindOf<string>(
  (raw) => (raw === '' ? null : raw),
  'a text',
  (value) => value,
);

const booleanKind = kindOf<boolean>(
  (raw) => ({ true: true, '1': true, yes: true, false: false, '0': false, no: false })[raw.toLowerCase()] ?? null,
  'true or false',
  (value) => value,
);

export const text = {
  withDefault: (setting: SettingText, value: string) => withDefault(setting, textKind, value),
  optional: (setting: SettingText) => optional(setting, textKind),
};

export function boolean(setting: SettingText, value: boolean): Setting<boolean> {
  return withDefault(setting, booleanKind, value);
}

export function integer(setting: SettingText & { readonly min: number; readonly max: number }, value: number): Setting<number> {
  return withDefault(setting, integerKind(setting), value);
}

/** A whole number that is worked out elsewhere when it is unset. */
export function optionalInteger(setting: SettingText & { readonly min: number; readonly max: number }): Setting<number | null> {
  return optional(setting, integerKind(setting));
}

/** A whole number, or a word for one that is worked out at start. */
export function integerOrWord<const W extends string>(
  setting: SettingText & { readonly min: number; readonly max: number; readonly word: W },
  value: number | W,
): Setting<number | W> {
  const integers = integerKind(setting);
  const kind: Kind<number | W> = {
    parse(raw) {
      if (raw.toLowerCase() === setting.word) {
        return { ok: true, value: setting.word };
      }
      const parsed = integers.parse(raw);
      return parsed.ok ? parsed : { ok: false, wants: `${parsed.wants}, or ${setting.word}` };
    },
    show: (shown) => shown,
  };
  return withDefault(setting, kind, value);
}

/** A part of the whole, from 0 to 1. */
export function ratio(setting: SettingText, value: number): Setting<number> {
  const kind = kindOf<number>(
    (raw) => (/^(0|1|0?\.\d{1,6}|[01]\.\d{1,6})$/.test(raw) && Number(raw) <= 1 ? Number(raw) : null),
    'a number from 0 to 1',
    (parsed) => parsed,
  );
  return withDefault(setting, kind, value);
}

/** A duration in milliseconds. */
export function duration(setting: SettingText & { readonly minMs: number; readonly maxMs: number }, valueMs: number): Setting<number> {
  return withDefault(setting, durationKind(setting), valueMs);
}

/** A size in bytes. */
export function byteSize(setting: SettingText & { readonly minBytes: number; readonly maxBytes: number }, bytes: number): Setting<number> {
  const wants = `a size such as 16KiB, from ${formatByteSize(setting.minBytes)} to ${formatByteSize(setting.maxBytes)}`;
  const kind = kindOf<number>(
    (raw) => {
      const value = parseByteSize(raw);
      return value !== null && value >= setting.minBytes && value <= setting.maxBytes ? value : null;
    },
    wants,
    formatByteSize,
  );
  return withDefault(setting, kind, bytes);
}

/** A URL with one of these protocols (`http:`). Its user and password are masked wherever it is shown. */
export const url = {
  required: (setting: SettingText & { readonly protocols: readonly string[] }) => required(setting, urlKind(setting.protocols)),
  optional: (setting: SettingText & { readonly protocols: readonly string[] }) => optional(setting, urlKind(setting.protocols)),
};

/** An id, in its lower-case form. */
export const uuid = {
  optional: (setting: SettingText) =>
    optional(
      setting,
      kindOf(normalizeUuid, 'a UUID', (value) => value),
    ),
};

/** One of a few words. */
export function oneOf<const T extends string>(setting: SettingText & { readonly values: readonly T[] }, value: T): Setting<T> {
  const kind = kindOf<T>(
    (raw) => setting.values.find((known) => known === raw.toLowerCase()) ?? null,
    `one of ${setting.values.join(', ')}`,
    (known) => known,
  );
  return withDefault(setting, kind, value);
}

/** Items separated by commas, each read by `read`, which answers null for what it does not take. */
export function list<T>(setting: SettingText, items: ListItems<T>): Setting<readonly T[]> {
  const kind = kindOf<readonly T[]>(
    (raw) => {
      const parsed = raw
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '')
        .map(items.read);
      return parsed.some((item) => item === null) ? null : parsed.filter((item) => item !== null);
    },
    items.wants,
    (value) => value.map(items.show).join(','),
  );
  return withDefault(setting, kind, items.fallback);
}

export interface ListItems<T> {
  readonly read: (item: string) => T | null;
  readonly wants: string;
  readonly show: (item: T) => string;
  readonly fallback: readonly T[];
}

/** A value that is read by a function and kept out of sight. */
export const secret = {
  required: <T>(setting: SettingText, read: (raw: string) => T | null, wants: string) =>
    required(
      { ...setting, sensitive: true },
      kindOf(read, wants, () => '(hidden)'),
    ),
  optional: <T>(setting: SettingText, read: (raw: string) => T | null, wants: string) =>
    optional(
      { ...setting, sensitive: true },
      kindOf(read, wants, () => '(hidden)'),
    ),
};

function urlKind(protocols: readonly string[]): Kind<string> {
  return kindOf(
    (raw) => (URL.canParse(raw) && protocols.includes(new URL(raw).protocol) ? raw : null),
    `a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
    withoutCredentials,
  );
}

/** The URL with its password masked. */
function withoutCredentials(value: string): string {
  const masked = new URL(value);
  if (masked.password !== '') {
    masked.password = 'hidden';
  }
  if (masked.searchParams.has('password')) {
    masked.searchParams.set('password', 'hidden');
  }
  return masked.href;
}
