/**
 * Reads a `Retry-After` header (RFC 9110, section 10.2.3), a number of seconds or a date, as milliseconds from now; null when it is absent
 * or unreadable. A date that has passed gives 0.
 */
export function parseRetryAfterMs(value: string | undefined, nowMs: number): number | null {
  const text = value?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) {
    return Number(text) * 1000;
  }
  // All three date forms of HTTP begin with the name of a day, which keeps Date.parse from reading other things as dates.
  const atMs = /^(mon|tue|wed|thu|fri|sat|sun)/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs);
}
