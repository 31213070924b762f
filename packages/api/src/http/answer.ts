import type { ApiContext } from '../context.ts';
import type { RateLimiter } from '../services/limits/rate-limiter.ts';
import type { Authenticator } from './authenticate.ts';
import type { Exchange } from './exchange.ts';
import { invalidField } from './parse.ts';
import type { Principal } from './principal.ts';
import { admitPrincipal, type RateLimiting } from './rate-limits.ts';
import { readRequest } from './read-request.ts';
import type { Route } from './route.ts';
import { send } from './send.ts';

export interface AnswerOptions {
  readonly authenticator: Authenticator;
  readonly limiter: RateLimiter;
  readonly report: RateLimiting['report'];
  readonly context: Pick<ApiContext, 'db' | 'tokens'>;
}

const anonymous: Principal = { kind: 'anonymous' };

/** Answers a request by its route. Fails with the problem that the client is to hear of. */
export async function answer(
  options: AnswerOptions,
  route: Route,
  exchange: Exchange,
  params: Readonly<Record<string, string>>,
): Promise<void> {
  const identify = (): Principal | Promise<Principal> =>
    route.access === 'public' ? anonymous : options.authenticator.authenticate(exchange.message.headers.authorization);
  const identified = identify();
  const principal = identified instanceof Promise ? await identified : identified;
  const admission = admitPrincipal(options, principal, exchange);
  if (admission) {
    await admission;
  }
  const { query } = exchange;
  refuseUnstorable(params);
  refuseUnstorable(query);
  const request = await readRequest(options.context, { route, principal, exchange, params, query, identify });
  const sending = send(exchange, await route.handle(request));
  if (sending) {
    await sending;
  }
}

/** PostgreSQL has no text with this character, so that no parameter with it can mean anything. */
function refuseUnstorable(parameters: Readonly<Record<string, string | readonly string[]>>): void {
  for (const name in parameters) {
    if ([parameters[name]].flat().some((text) => text?.includes('\u0000'))) {
      throw invalidField(name, { code: 'character', message: 'the character U+0000 is not allowed' });
    }
  }
}
