import { isIPv6, Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Where a client thinks it is: by the Host that it sent. It may send any, also none or one that no URL can have. */
export function originOf(request: { readonly host: string | undefined; readonly socket: Duplex }): string {
  const origin = `http://${request.host ?? ''}`;
  return URL.canParse(origin) ? origin : addressOf(request.socket);
}

/** The address that a connection reached, where no Host is known. */
export function addressOf(socket: Duplex): string {
  if (!(socket instanceof Socket) || socket.localAddress === undefined) {
    return 'http://localhost';
  }
  const host = isIPv6(socket.localAddress) ? `[${socket.localAddress}]` : socket.localAddress;
  return `http://${host}:${socket.localPort}`;
}
