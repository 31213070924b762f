/**
 * A new UUIDv7 (RFC 9562): it begins with its creation time, so that new events land at the right edge of the server's indexes, while ids
 * without order are scattered all over them.
 */
export function newEventId(nowMs: number = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(10));
  const time = Math.floor(nowMs).toString(16).padStart(12, '0');
  const random = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  // The version takes four bits; the variant `10` the first two of the last two groups.
  const variant = '89ab'[(bytes[2] ?? 0) & 3] ?? '8';
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-${variant}${random.slice(5, 8)}-${random.slice(8, 20)}`;
}
