const unitsMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

function isUnit(text: string): text is keyof typeof unitsMs {
  return Object.hasOwn(unitsMs, text);
}

/** Reads `250ms`, `15s`, `5m`, `1h`, `2d`, or a plain number of seconds; null for anything else. The result is in milliseconds. */
export function parseDurationMs(text: string): number | null {
  const [, number, unit = 's'] = /^(\d{1,12}(?:\.\d{1,3})?)(ms|s|m|h|d)?$/.exec(text) ?? [];
  return number === undefined || !isUnit(unit) ? null : Math.round(Number(number) * unitsMs[unit]);
}

/** A duration in the largest unit that writes it as a whole number. */
export function formatDuration(durationMs: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (durationMs !== 0 && durationMs % unitsMs[unit] === 0) {
      return `${durationMs / unitsMs[unit]}${unit}`;
    }
  }
  return durationMs === 0 ? '0s' : `${durationMs}ms`;
}
