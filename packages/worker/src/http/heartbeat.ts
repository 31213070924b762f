import type { Logger } from 'pino';
import { request } from 'undici';

export interface HeartbeatOptions {
  readonly url: string;
  readonly periodMs: number;
  /** Whether the worker really works. */
  readonly isWorking: () => boolean;
  readonly logger: Logger;
}

const timeoutMs = 10_000;

/** Tells a monitor that this worker works, by a GET now and then; silence is the alarm. */
export function startHeartbeat(options: HeartbeatOptions): { stop(): void } {
  async function ping(): Promise<void> {
    try {
      const response = await request(options.url, { headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
      await response.body.dump();
    } catch (error) {
      // The URL often carries a token, and so may the error.
      const code = error instanceof Error && 'code' in error ? error.code : null;
      options.logger.warn({ event: 'heartbeat.failed', code }, 'the monitor did not take the heartbeat');
    }
  }

  const timer = setInterval(() => {
    if (options.isWorking()) {
      // Handles its own failure.
      void ping();
    }
  }, options.periodMs);
  return { stop: () => clearInterval(timer) };
}
