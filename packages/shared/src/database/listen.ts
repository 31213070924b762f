import type { Logger } from 'pino';
import { Client, type ClientConfig } from 'pg';

export interface ListenOptions {
  /** Direct, not through a transaction pooler: a pooler drops LISTEN. */
  readonly connection: ClientConfig;
  readonly channel: string;
  readonly onNotification: (payload: string) => void;
  /** Called when listening begins, and again after every reconnection: what was sent meanwhile is lost. */
  readonly onListening: () => void;
  /** Called when listening ends: what is sent from then on is not heard. */
  readonly onLost?: () => void;
  readonly logger: Logger;
}

export interface Listener {
  stop(): Promise<void>;
}

const reconnectDelayMinMs = 1000;
const reconnectDelayMaxMs = 30_000;

/**
 * Listens on a channel and reconnects for as long as it runs, after 1 s, then twice as long each time up to 30 s. Never fatal: while it
 * is away its owner falls back to polling.
 */
export function listen(options: ListenOptions): Listener {
  let client: Client | null = null;
  let timer: NodeJS.Timeout | null = null;
  let delayMs = reconnectDelayMinMs;
  let stopped = false;

  function reconnectLater(): void {
    client = null;
    if (!stopped) {
      timer = setTimeout(() => void connect(), delayMs);
      delayMs = Math.min(delayMs * 2, reconnectDelayMaxMs);
    }
  }

  // Owned by the timer or by the start below: it handles all of its errors itself.
  async function connect(): Promise<void> {
    const next = new Client(options.connection);
    client = next;
    next.on('notification', ({ payload }) => options.onNotification(payload ?? ''));
    next.on('error', () => {});
    try {
      await next.connect();
      await next.query(`listen ${options.channel}`);
      next.once('end', () => {
        options.onLost?.();
        if (!stopped) {
          options.logger.warn({ event: 'database.listener_lost', channel: options.channel }, 'the listening connection was lost');
          reconnectLater();
        }
      });
      delayMs = reconnectDelayMinMs;
      options.onListening();
    } catch (error) {
      options.logger.warn({ event: 'database.listen_failed', channel: options.channel, err: error }, 'could not listen');
      await next.end().catch(() => {});
      reconnectLater();
    }
  }

  void connect();
  return {
    async stop() {
      stopped = true;
      if (timer) {
        clearTimeout(timer);
      }
      await client?.end().catch(() => {});
    },
  };
}
