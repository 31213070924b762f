const unitsBytes = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

function isUnit(text: string): text is keyof typeof unitsBytes {
  return Object.hasOwn(unitsBytes, text);
}

/** Reads `16KiB`, `1MiB` or a plain number of bytes; null for anything else. */
export function parseByteSize(text: string): number | null {
  const [, number, unit = 'B'] = /^(\d{1,12})(B|KiB|MiB|GiB)?$/.exec(text) ?? [];
  return number === undefined || !isUnit(unit) ? null : Number(number) * unitsBytes[unit];
}

/** A size in the largest unit that writes it as a whole number. */
export function formatByteSize(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB'] as const) {
    if (bytes !== 0 && bytes % unitsBytes[unit] === 0) {
      return `${bytes / unitsBytes[unit]}${unit}`;
    }
  }
  return `${bytes}`;
}
