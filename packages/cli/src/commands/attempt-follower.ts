import { z } from 'zod';
import { RefusedError } from '../failures.ts';
import type { Api, Query, Row } from '../http/api.ts';

const attempt = z.looseObject({
  request_attempt_id: z.string(),
  created_at: z.string(),
  retry_count: z.number(),
  http_response_status: z.number().nullable(),
  event: z.looseObject({ event_type_name: z.string() }),
  subscription: z.looseObject({ subscription_id: z.string(), description: z.string().nullable() }),
  status: z.looseObject({ type: z.string(), at: z.string().optional(), since: z.string().optional(), until: z.string().optional() }),
});

/** A request attempt as it came, of which we look at these members. */
export type FollowedAttempt = z.output<typeof attempt>;

const path = '/request_attempts';
/** Attempts that one poll reads from the list: twenty pages. */
const listedMax = 1000;
/** Open attempts that one poll asks for by id, in turns. */
const askedMax = 20;
/** Open attempts that are remembered to see their end. */
const openMax = 10_000;
/** One that waits for its time changes before only when somebody cancels or hurries it: such are asked for in every tenth poll. */
const pollsBetweenWaiting = 10;
/** An attempt can become visible a moment after one that was created later: its transaction took longer to commit. */
const lateMs = 10_000;

/** Follows the list of attempts: what is new, and what of the known has changed. */
export class AttemptFollower {
  readonly #api: Api;
  readonly #filter: Query;
  /** What was seen last of an attempt, by id: those of the last moments, and the open ones. */
  readonly #known = new Map<string, FollowedAttempt>();
  /** When the newest of those that were there at the beginning was created: what is older and unknown is no news. */
  #begunAtMs = 0;
  #newestMs = 0;
  #polls = 0;
  #isBehind = false;

  constructor(api: Api, filter: Query) {
    this.#api = api;
    this.#filter = filter;
  }

  /** The latest `count` attempts, oldest first. The open ones among all are known from then on, so that their ends are news. */
  async begin(count: number): Promise<readonly FollowedAttempt[]> {
    const open = await this.#api.list(path, { ...this.#filter, status: 'waiting,pending,in_progress' }, listedMax);
    this.#take(open.rows);
    const latest = await this.#api.list(path, this.#filter, count);
    const shown = read(latest.rows);
    this.#take(latest.rows);
    this.#begunAtMs = this.#newestMs;
    return inOrder(shown);
  }

  /** What is new or has changed since, oldest first. */
  async poll(): Promise<readonly FollowedAttempt[]> {
    const since = this.#newestMs === 0 ? undefined : new Date(this.#newestMs - lateMs).toISOString();
    const listed = await this.#api.list(path, { ...this.#filter, min_created_at: since }, listedMax);
    const asked = await this.#ask(this.#idsToAsk(new Set(listed.rows.map((row) => row['request_attempt_id']))));
    this.#isBehind = listed.hasMore;
    const news = this.#take([...asked, ...listed.rows]);
    this.#forget();
    return news;
  }

  /** Whether more happened than the last poll could read. */
  isBehind(): boolean {
    return this.#isBehind;
  }

  /** Open attempts that the list no longer reaches back to, those first that were not asked for longest. */
  #idsToAsk(listed: ReadonlySet<unknown>): string[] {
    this.#polls += 1;
    const asksWaiting = this.#polls % pollsBetweenWaiting === 0;
    const now = Date.now();
    const ids = [...this.#known.values()]
      .filter((each) => !listed.has(each.request_attempt_id) && isOpen(each) && (asksWaiting || dueAtMs(each) <= now))
      .map((each) => each.request_attempt_id)
      .slice(0, askedMax);
    for (const id of ids) {
      const known = this.#known.get(id);
      if (known) {
        this.#known.delete(id);
        this.#known.set(id, known);
      }
    }
    return ids;
  }

  async #ask(ids: readonly string[]): Promise<Row[]> {
    const query = { application_id: this.#filter['application_id'] };
    const found = await Promise.all(
      ids.map((id) => this.#api.get(`${path}/${id}`, query).catch((error: unknown) => this.#forgetMissing(id, error))),
    );
    return found.flatMap((each) => (each === null ? [] : read([each])));
  }

  #forgetMissing(id: string, error: unknown): null {
    if (!(error instanceof RefusedError && error.status === 404)) {
      throw error;
    }
    this.#known.delete(id);
    return null;
  }

  #take(rows: readonly unknown[]): FollowedAttempt[] {
    const changed = read(rows).filter((each) => !isSame(each, this.#known.get(each.request_attempt_id)));
    const news = changed.filter((each) => this.#known.has(each.request_attempt_id) || Date.parse(each.created_at) > this.#begunAtMs);
    for (const each of changed) {
      this.#known.set(each.request_attempt_id, each);
      this.#newestMs = Math.max(this.#newestMs, Date.parse(each.created_at));
    }
    return inOrder(news);
  }

  /** What has ended and is too old for the list to bring again, and the oldest of too many. */
  #forget(): void {
    for (const [id, each] of this.#known) {
      const isOld = Date.parse(each.created_at) < this.#newestMs - lateMs;
      if (isOld && (!isOpen(each) || this.#known.size > openMax)) {
        this.#known.delete(id);
      }
    }
  }
}

function read(rows: readonly unknown[]): FollowedAttempt[] {
  const parsed = z.array(attempt).safeParse(rows);
  if (!parsed.success) {
    throw new Error(`The API answered something else than request attempts: ${z.prettifyError(parsed.error)}`);
  }
  return parsed.data;
}

function isOpen({ status }: FollowedAttempt): boolean {
  return status.type !== 'successful' && status.type !== 'failed';
}

function dueAtMs({ status }: FollowedAttempt): number {
  return status.until === undefined ? 0 : Date.parse(status.until);
}

function isSame({ status: a }: FollowedAttempt, other: FollowedAttempt | undefined): boolean {
  const b = other?.status;
  return a.type === b?.type && a.at === b.at && a.until === b.until;
}

/** By what happened when, the earliest first. */
function inOrder(attempts: readonly FollowedAttempt[]): FollowedAttempt[] {
  return attempts.toSorted(
    (a, b) =>
      changedAtMs(a) - changedAtMs(b) ||
      Number(a.request_attempt_id > b.request_attempt_id) - Number(a.request_attempt_id < b.request_attempt_id),
  );
}

function changedAtMs({ status, created_at: createdAt }: FollowedAttempt): number {
  return Date.parse(status.at ?? (status.type === 'in_progress' ? status.since : undefined) ?? createdAt);
}
