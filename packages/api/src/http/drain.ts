import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { UnderWay } from '@postrider/shared/domain/under-way';

/** Busy clients send their next request sooner, and learn from its answer that this connection ends. */
const idleGraceMs = 500;
const lookEveryMs = 50;

/** The answers of a server that are under way. */
export interface FollowedAnswers {
  /** What a connection is in the middle of answering: another answer would end up inside of it. Looks through all. */
  answerOn(connection: Duplex): ServerResponse | undefined;
  /** Takes no more connections and resolves when every connection has ended, without breaking off requests. */
  close(): Promise<void>;
}

/**
 * Follows the answers of a server, so that it can tell its clients in time: those that are under way when it closes, and those of requests
 * that still come in on open connections, say `Connection: close`. Otherwise a busy client would go on until the deadline, or send its next
 * request into a connection that is just being closed.
 */
export function followAnswers(server: Server): FollowedAnswers {
  const underWay = new UnderWay<ServerResponse>();
  let closing = false;
  server.prependListener('request', (_request, response) => {
    if (closing) {
      response.shouldKeepAlive = false;
    }
    const started = underWay.start(response, performance.now());
    response.on('close', () => underWay.end(started));
  });
  return {
    // Where requests are sent without waiting for answers, the last one is answered last.
    answerOn: (connection) => underWay.items().findLast(({ req }) => req.socket === connection),
    async close() {
      closing = true;
      for (const response of underWay.items()) {
        response.shouldKeepAlive = false;
      }
      const closed = once(server, 'close');
      // That of HTTP closes idle connections at once, also one that a request is on its way on.
      NetServer.prototype.close.call(server);
      await Promise.race([closed, wait(idleGraceMs)]);
      server.closeIdleConnections();
      while (underWay.count() > 0) {
        await wait(lookEveryMs);
      }
      // Connections on which no request ever came count as busy.
      server.closeAllConnections();
      await closed;
    },
  };
}
