import { z } from 'zod';

/** An opaque cursor of the parts that order a list. */
export function encodeCursor(parts: readonly string[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** A cursor parameter of parts that match these schemas. */
export function cursor<const S extends readonly [z.ZodType, ...z.ZodType[]]>(parts: S) {
  const tuple = z.tuple([...parts]);
  return z
    .string()
    .transform((value, context) => {
      const parsed = tuple.safeParse(readJson(value));
      if (!parsed.success) {
        context.addIssue({ code: 'custom', message: 'wanted a cursor as a Link header gave it' });
        return z.NEVER;
      }
      return parsed.data;
    })
    .meta({ description: 'Opaque: as the Link header of the page before gave it.' });
}

function readJson(value: string): unknown {
  try {
    return JSON.parse(Buffer.from(value, 'base64url').toString('utf8'));
  } catch {
    return null;
  }
}

/** The page of a list that was read with one row more than the page has, and whether there is a next one. */
export function pageOf<T>(rows: readonly T[], size: number): { readonly page: readonly T[]; readonly last: T | null } {
  const page = rows.slice(0, size);
  return { page, last: rows.length > size ? (page.at(-1) ?? null) : null };
}

/** The `Link` header to the next page: the same request with other parameters. */
export function nextLink(origin: string, pathWithQuery: string, changes: Readonly<Record<string, string>>): string {
  const url = new URL(pathWithQuery, origin);
  for (const [name, value] of Object.entries(changes)) {
    url.searchParams.set(name, value);
  }
  return `<${url.href}>; rel="next"`;
}
