import { formatDuration, parseDurationMs } from '@postrider/shared/config/duration';
import { z } from 'zod';

/** A duration within bounds as clients write it, in seconds or such as `30s`, `5m`, `24h`; read as milliseconds, whole seconds only. */
export function duration(minMs: number, maxMs: number) {
  const bounds = `wanted ${formatDuration(minMs)} to ${formatDuration(maxMs)}, in whole seconds`;
  return z
    .union([z.number(), z.string()], { error: 'wanted seconds, or a duration such as 30s, 5m or 24h' })
    .transform((value, context) => {
      const durationMs = typeof value === 'number' ? value * 1000 : parseDurationMs(value);
      if (durationMs === null) {
        context.addIssue({ code: 'custom', message: 'wanted seconds, or a duration such as 30s, 5m or 24h' });
        return z.NEVER;
      }
      if (durationMs < minMs || durationMs > maxMs || durationMs % 1000 !== 0) {
        context.addIssue({ code: 'custom', message: bounds });
        return z.NEVER;
      }
      return durationMs;
    });
}
