/** The units of a worker's concurrency: each carries one delivery at a time. */
export interface Slots {
  readonly total: number;
  busy(): number;
  free(): number;
  take(): void;
  giveBack(): void;
}

export function createSlots(total: number): Slots {
  let busy = 0;
  return {
    total,
    busy: () => busy,
    free: () => total - busy,
    take() {
      busy += 1;
    },
    giveBack() {
      busy -= 1;
    },
  };
}
