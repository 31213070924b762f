import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Api } from '../http/api.ts';
import { AttemptFollower, type FollowedAttempt } from './attempt-follower.ts';

const startedMs = Date.parse('2026-01-01T00:00:00.000Z');

/** The attempts that the API has, newest first. */
let attempts: FollowedAttempt[];
let asked: string[];
let server: Server;
let follower: AttemptFollower;

beforeEach(async () => {
  attempts = [];
  asked = [];
  server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://localhost');
    asked.push(url.pathname);
    const [, id] = /request_attempts\/(.*)$/.exec(url.pathname) ?? [];
    const statuses = url.searchParams.get('status')?.split(',');
    const since = Date.parse(url.searchParams.get('min_created_at') ?? '2000-01-01');
    const found = attempts.filter((each) => Date.parse(each.created_at) >= since && (statuses?.includes(each.status.type) ?? true));
    const one = attempts.find((each) => each.request_attempt_id === id);
    const missing = id !== undefined && one === undefined;
    response.writeHead(missing ? 404 : 200).end(JSON.stringify(missing ? { title: 'Not found', id: 'NotFound' } : (one ?? found)));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const baseUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const api = new Api({ baseUrl, token: 'x', timeoutMs: 10_000, stopped: new AbortController().signal });
  follower = new AttemptFollower(api, { application_id: 'a' });
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function attempt(id: string, seconds: number, status: FollowedAttempt['status']): FollowedAttempt {
  return {
    request_attempt_id: id,
    created_at: timeAt(seconds),
    retry_count: 0,
    http_response_status: null,
    event: { event_type_name: 'a.b.c' },
    subscription: { subscription_id: 's', description: null },
    status,
  };
}

function timeAt(seconds: number): string {
  return new Date(startedMs + seconds * 1000).toISOString();
}

/** Changes what the API has of an attempt. */
function becomes(id: string, status: FollowedAttempt['status']): void {
  attempts = attempts.map((each) => (each.request_attempt_id === id ? { ...each, status } : each));
}

function summary(shown: readonly FollowedAttempt[]): string[] {
  return shown.map((each) => `${each.request_attempt_id} ${each.status.type}`);
}

test('begins with the latest, the oldest first, and takes what was there before for no news', async () => {
  attempts = [3, 2, 1].map((number) => attempt(`r${number}`, number, { type: 'successful', at: timeAt(number) }));

  const begun = await follower.begin(2);

  expect(summary(begun)).toEqual(['r2 successful', 'r3 successful']);
  expect(await follower.poll()).toEqual([]);
});

test('tells each state once', async () => {
  attempts = [attempt('r1', 1, { type: 'pending', since: timeAt(1) })];
  await follower.begin(10);

  attempts.unshift(attempt('r2', 2, { type: 'pending', since: timeAt(2) }));
  const first = await follower.poll();
  becomes('r1', { type: 'in_progress', since: timeAt(3) });
  const second = await follower.poll();
  becomes('r1', { type: 'failed', at: timeAt(5) });
  becomes('r2', { type: 'successful', at: timeAt(4) });
  const third = await follower.poll();

  expect([first, second, third].map(summary)).toEqual([['r2 pending'], ['r1 in_progress'], ['r2 successful', 'r1 failed']]);
  expect(await follower.poll()).toEqual([]);
});

test('sees the end of an attempt that the list has left behind', async () => {
  attempts = [attempt('new', 100, { type: 'successful', at: timeAt(100) }), attempt('old', 1, { type: 'in_progress', since: timeAt(1) })];
  await follower.begin(1);

  becomes('old', { type: 'failed', at: timeAt(101) });

  expect(summary(await follower.poll())).toEqual(['old failed']);
});

test('shows what became visible late', async () => {
  attempts = [attempt('r1', 10, { type: 'successful', at: timeAt(10) })];
  await follower.begin(10);
  attempts.unshift(attempt('r3', 13, { type: 'successful', at: timeAt(13) }));
  await follower.poll();

  attempts.splice(1, 0, attempt('r2', 12, { type: 'successful', at: timeAt(12) }));

  expect(summary(await follower.poll())).toEqual(['r2 successful']);
});

test('leaves an attempt that waits for its time alone, but for a look now and then', async () => {
  const until = new Date(Date.now() + 3_600_000).toISOString();
  attempts = [
    attempt('new', 100, { type: 'successful', at: timeAt(100) }),
    attempt('old', 1, { type: 'waiting', since: timeAt(1), until }),
  ];
  await follower.begin(1);

  becomes('old', { type: 'failed', at: timeAt(101) });
  const polls: string[][] = [];
  for (let poll = 1; poll <= 10; poll += 1) {
    polls.push(summary(await follower.poll()));
  }

  expect(polls.slice(0, 9).flat()).toEqual([]);
  expect(polls[9]).toEqual(['old failed']);
  expect(asked.filter((path) => path.endsWith('/old'))).toHaveLength(1);
});

test('forgets an attempt that is gone', async () => {
  attempts = [attempt('new', 100, { type: 'successful', at: timeAt(100) }), attempt('old', 1, { type: 'in_progress', since: timeAt(1) })];
  await follower.begin(1);
  attempts.pop();

  await follower.poll();
  await follower.poll();

  expect(asked.filter((path) => path.endsWith('/old'))).toHaveLength(1);
});
