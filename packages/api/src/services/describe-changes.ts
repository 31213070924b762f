import { isDeepStrictEqual } from 'node:util';

/** What JSON can say. */
type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [name: string]: JsonValue };

/** What changed, by member: `from` is left out of what was created, `to` of what was deleted. */
export type Changes = Readonly<Record<string, { readonly from?: JsonValue; readonly to?: JsonValue }>>;

const redacted = '[redacted]';
/** Members that follow from every change and say nothing. */
const bookkeeping: ReadonlySet<string> = new Set(['created_at', 'updated_at']);
const secretName = /secret|token|password|passphrase|authorization|credential|(?:api|private)[-_]?key/i;
/** `application_secret_id` says which secret, not what it is. */
const referenceName = /_(?:ids?|at)$/;

/**
 * Compares a thing before and after. Null for either says that it did not exist. Values are compared as they are and shown redacted, so that
 * a new secret is seen to be new and not what it is.
 *
 * The rule, wherever a value stands: bytes are never shown; nor is what has a name that speaks of a secret, a token, a password, an
 * authorization, a credential or a key; of headers only the names; of a URL neither user and password nor query nor fragment.
 */
export function describeChanges(before: object | null, after: object | null): Changes {
  const from = new Map<string, unknown>(Object.entries(before ?? {}));
  const to = new Map<string, unknown>(Object.entries(after ?? {}));
  const names = [...new Set([...from.keys(), ...to.keys()])].filter((name) => !bookkeeping.has(name));
  return Object.fromEntries(
    names
      .filter((name) => !isDeepStrictEqual(from.get(name), to.get(name)))
      .map((name) => [name, { ...(before && { from: redact(name, from.get(name)) }), ...(after && { to: redact(name, to.get(name)) }) }]),
  );
}

function redact(name: string, value: unknown): JsonValue {
  if (value === null || value === undefined) {
    return null;
  }
  if (value instanceof Uint8Array || (secretName.test(name) && !referenceName.test(name))) {
    return redacted;
  }
  if (typeof value === 'string') {
    return storable(/ur[il]$/i.test(name) ? redactUrl(value) : value);
  }
  if (typeof value === 'number' || typeof value === 'boolean') {
    return value;
  }
  return typeof value === 'object' ? redactObject(name, value) : null;
}

function redactObject(name: string, value: object): JsonValue {
  if (value instanceof Date) {
    return value.toISOString();
  }
  if (Array.isArray(value)) {
    return value.map((item) => redact(name, item));
  }
  const isHeaders = /headers$/i.test(name);
  return Object.fromEntries(
    Object.entries(value).map(([member, inner]) => [storable(member), isHeaders ? redacted : redact(member, inner)]),
  );
}

function redactUrl(text: string): string {
  if (!URL.canParse(text)) {
    return redacted;
  }
  const { protocol, username, password, host, pathname, search, hash } = new URL(text);
  const user = username === '' && password === '' ? '' : `${redacted}@`;
  return `${protocol}//${user}${host}${pathname}${search === '' ? '' : `?${redacted}`}${hash === '' ? '' : `#${redacted}`}`;
}

/** jsonb takes neither halves of surrogate pairs nor U+0000; a change must not fail for how it is described. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', '\ufffd');
}
