import type { ChildProcess } from 'node:child_process';
import { z } from 'zod';

const handedOver = z.object({ cmd: z.literal('NODE_CLUSTER'), act: z.literal('newconn'), seq: z.number() });
const answered = z.object({ cmd: z.literal('NODE_CLUSTER'), ack: z.number() });

/**
 * Ends the connections that were on their way to a process of a cluster when it died. `node:cluster` accepts them in the supervisor, sends
 * them over, and closes its own side once the process has answered. When that dies first, it keeps them for ever, and their clients wait as
 * long (https://github.com/nodejs/node-v0.x-archive/issues/7006). No request on them has been read.
 *
 * It follows Node's own messages on the channel; should those change, it does nothing.
 */
export function endConnectionsOnTheirWay(child: ChildProcess): void {
  const onTheirWay = new Map<number, { close(): void }>();
  const send = child.send.bind(child);
  Object.assign(child, {
    send(...sent: Parameters<typeof child.send>): boolean {
      const { data: message } = handedOver.safeParse(sent[0]);
      if (message && isClosable(sent[1])) {
        onTheirWay.set(message.seq, sent[1]);
      }
      return send(...sent);
    },
  });
  child.on('internalMessage', (raw: unknown) => {
    const { data: message } = answered.safeParse(raw);
    if (message) {
      onTheirWay.delete(message.ack);
    }
  });
  // Not its disconnection, which Node leaves out while a connection is on its way.
  child.once('exit', () => onTheirWay.forEach((connection) => connection.close()));
}

function isClosable(handle: unknown): handle is { close(): void } {
  return typeof handle === 'object' && handle !== null && 'close' in handle && typeof handle.close === 'function';
}
