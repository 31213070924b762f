/** Something that a loop waits for and others raise. A signal raised while nobody waits is kept for the next wait. */
export interface Signal {
  raise(): void;
  /** Resolves when the signal is raised, after `timeoutMs` at the latest. */
  wait(timeoutMs: number): Promise<void>;
}

export function createSignal(): Signal {
  let raised = false;
  let wake: (() => void) | null = null;
  return {
    raise() {
      if (wake) {
        wake();
      } else {
        raised = true;
      }
    },
    wait(timeoutMs) {
      if (raised) {
        raised = false;
        return Promise.resolve();
      }
      return new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          wake = null;
          resolve();
        };
        const timer = setTimeout(done, timeoutMs);
        wake = done;
      });
    },
  };
}
