/** Of the process: every so many answers, one is remembered. */
const sampledAnswers = 8;
const samplesKept = 64;

/** What answers of all receivers take in this process. */
export function createLatencySamples() {
  const samplesMs: number[] = [];
  let answers = 0;
  let medianMs = 0;

  return {
    note(elapsedMs: number): void {
      answers += 1;
      if (answers % sampledAnswers === 0) {
        samplesMs[(answers / sampledAnswers) % samplesKept] = elapsedMs;
      }
    },
    /** Computes the median anew: to be called a few times a second. */
    refresh(): void {
      medianMs = medianOf(samplesMs);
    },
    medianMs: () => medianMs,
  };
}

/** 0 for no values. */
export function medianOf(values: readonly number[]): number {
  const sorted = values.filter((value) => value !== undefined).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
