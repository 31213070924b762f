import type { ApiContext } from '../context.ts';
import { authorizeApplication } from '../http/authorize.ts';
import { parseBody } from '../http/parse.ts';
import { applicationIdIn } from '../http/read-request.ts';
import type { RequestContext } from '../http/route.ts';
import { eventPost } from '../schemas/events.ts';
import { readPlainEventPost } from '../schemas/plain-event-post.ts';
import type { NewEvent } from '../services/ingest-events.ts';
import type { IngestionBatcher } from '../services/ingestion-batcher.ts';
import { type IngestedEvent, ingestedOf, newEventOf } from './ingest-post.ts';

/** What became of one event of a batch, as it is sent. */
export type BatchItem =
  | { readonly status: 201; readonly event: IngestedEvent }
  | { readonly status: number; readonly problem: Record<string, unknown>; readonly retry_after?: number };

/** One event of a batch before anything is known of it. */
export interface Item {
  /** Its JSON value. Fails with the problem of the item. */
  read(): unknown;
}

/** How long a principal is taken for what it was, and for what it was allowed: a stream may outlive its token. */
const permissionHoldsMs = 1000;

/** What ingest needs of the context. */
interface ItemContext extends Pick<ApiContext, 'settings' | 'tokens' | 'now'> {
  readonly batcher: Pick<IngestionBatcher, 'ingest'>;
}

type ItemRequest = Pick<RequestContext, 'principal' | 'ip' | 'identifyAgain' | 'describeProblem'>;

/**
 * Ingests the items of one request, each as if it came alone, and never fails: what is wrong with an item is its result. Must be called in
 * the order of the items: of those with one id the first goes first, although they may end up in different groups.
 */
export function createItemIngest(context: ItemContext, request: ItemRequest): (item: Item) => Promise<BatchItem> {
  const latestOfId = new Map<string, Promise<BatchItem>>();
  const permit = createPermission(context, request);

  async function ingest(read: ReadItem, earlier: Promise<BatchItem> | undefined): Promise<BatchItem> {
    try {
      await permit(read.applicationId);
      if ('failure' in read) {
        throw read.failure;
      }
      if (earlier) {
        await earlier;
      }
      return { status: 201, event: ingestedOf(read, await context.batcher.ingest(read)) };
    } catch (error) {
      return refusedItemOf(request, error);
    }
  }

  return (item) => {
    const read = readItem(item, request, context.settings);
    const key = 'failure' in read || read.eventId === null ? null : `${read.applicationId} ${read.eventId}`;
    if (key === null) {
      return ingest(read, undefined);
    }
    const outcome = ingest(read, latestOfId.get(key));
    latestOfId.set(key, outcome);
    // It never fails.
    void outcome.then(() => {
      if (latestOfId.get(key) === outcome) {
        latestOfId.delete(key);
      }
    });
    return outcome;
  };
}

/** What can be said of an item at once. Whose it is goes before what is wrong with it. */
type ReadItem = NewEvent | { readonly applicationId: string | null; readonly failure: unknown };

/** Nothing of it points to what was read, which has the payload once more: all of that can be forgotten while the event is written. */
function readItem(item: Item, request: ItemRequest, settings: ApiContext['settings']): ReadItem {
  let value: unknown;
  try {
    value = item.read();
    return newEventOf(readPlainEventPost(value) ?? parseBody(eventPost, value), request, settings);
  } catch (failure) {
    return { applicationId: applicationIdIn(value), failure };
  }
}

/**
 * Whether the sender may send to an application, or to one that cannot be told; fails when not. Asked once for items that follow each other, and
 * again now and then: what a revoked token sends is refused from then on.
 */
function createPermission(
  { now, tokens }: Pick<ApiContext, 'tokens' | 'now'>,
  request: ItemRequest,
): (applicationId: string | null) => Promise<void> {
  let identity = Promise.resolve(request.principal);
  let askedAtMs = now();
  let latest: { readonly applicationId: string | null; readonly permission: Promise<void> } | null = null;

  async function ask(applicationId: string | null): Promise<void> {
    const principal = await identity;
    if (applicationId !== null && principal.kind !== 'master') {
      await authorizeApplication(tokens, principal, applicationId);
    }
  }

  return (applicationId) => {
    if (now() - askedAtMs >= permissionHoldsMs) {
      askedAtMs = now();
      identity = request.identifyAgain();
      latest = null;
    }
    if (latest?.applicationId !== applicationId) {
      latest = { applicationId, permission: ask(applicationId) };
    }
    return latest.permission;
  };
}

function refusedItemOf(request: ItemRequest, error: unknown): BatchItem {
  const { problem, document } = request.describeProblem(error);
  const retryAfter = Number(problem.options.headers?.['Retry-After'] ?? 0);
  return { status: problem.status, problem: document, ...(retryAfter > 0 && { retry_after: retryAfter }) };
}
