import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { eventually } from '@postrider/testkit/eventually';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Clock } from '../http/send.ts';
import { connect } from '../postrider.ts';
import type { EventInput } from './event-input.ts';
import { type EventSender, type EventSenderOptions, PostriderSenderFullError } from './event-sender.ts';

interface PostedEvent {
  readonly application_id: string;
  readonly event_id: string;
  readonly payload: string;
}

interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

const application_id = '0192b6a0-7d3e-7c3a-9f67-3d6f5a0b1c2d';

let server: Server;
let url: string;
/** What came to each path, in order. */
let batches: PostedEvent[][];
let singles: PostedEvent[];
let answerBatch: (events: readonly PostedEvent[]) => Answer | null | Promise<Answer | null>;
let nowMs: number;
let clock: Clock;

beforeEach(async () => {
  batches = [];
  singles = [];
  answerBatch = (events) => ({ status: 200, body: events.map(ingested) });
  server = createServer((request, response) => {
    void (async () => {
      const posted = JSON.parse((await Array.fromAsync(request)).join(''));
      const isBatch = request.url === '/api/v1/events/batch';
      if (isBatch) {
        batches.push(posted);
      } else {
        singles.push(posted);
      }
      const answer = isBatch ? await answerBatch(posted) : { status: 201, body: ingested(posted).event };
      if (answer === null) {
        request.socket.destroy();
        return;
      }
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body ?? null));
    })();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  nowMs = 0;
  clock = {
    now: () => nowMs,
    random: () => 1,
    async wait(ms) {
      nowMs += ms;
    },
  };
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function ingested({ application_id: application, event_id }: PostedEvent) {
  return { status: 201, event: { application_id: application, event_id, received_at: '2026-01-01T00:00:00Z' } };
}

function refused(status: number, id: string, code?: string) {
  return {
    status,
    problem: { type: 'about:blank', title: id, status, detail: `It is ${id}.`, id, validation: null, instance: null, code },
  };
}

function newSender(options: EventSenderOptions = {}): EventSender {
  // An hour: nothing leaves by time unless the test is about that.
  return connect({ url }, clock).createEventSender({ waitMs: 3_600_000, ...options });
}

function event(payload: string | number, changes: Partial<EventInput> = {}): EventInput {
  return { application_id, event_type: 'a.b.c', payload: String(payload), payload_content_type: 'text/plain', ...changes };
}

function payloads(events: readonly PostedEvent[] | undefined): string[] {
  return (events ?? []).map(({ payload }) => payload);
}

describe('batches', () => {
  test('leave when they are full, and the rest when it is flushed', async () => {
    const sender = newSender({ eventsMax: 2 });
    const sent = [1, 2, 3].map((payload) => sender.send(event(payload)));
    await eventually(() => batches.length === 1);
    expect(sender.pending).toBeGreaterThanOrEqual(1);
    await sender.flush();
    expect(payloads(batches[0])).toEqual(['1', '2']);
    expect(payloads(singles)).toEqual(['3']);
    const outcomes = await Promise.all(sent);
    expect(outcomes.map(({ event_id }) => event_id)).toEqual([...(batches[0] ?? []), ...singles].map(({ event_id }) => event_id));
    expect(outcomes[0]).toMatchObject({ application_id, received_at: '2026-01-01T00:00:00Z' });
    expect(sender.pending).toBe(0);
  });

  test('leave when the first has waited', async () => {
    const sender = newSender({ waitMs: 20 });
    await Promise.all([1, 2, 3].map((payload) => sender.send(event(payload))));
    expect(batches.map(payloads)).toEqual([['1', '2', '3']]);
  });

  test('are no larger than they may be', async () => {
    const sender = newSender({ bytesMax: 2000 });
    const sent = ['a', 'b', 'c', 'd'].map((letter) => sender.send(event(letter.repeat(700))));
    await sender.flush();
    await Promise.all(sent);
    expect(batches.map((batch) => batch.length)).toEqual([2, 2]);
    await Promise.all([sender.send(event('e'.repeat(5000))), sender.flush()]);
    expect(singles).toHaveLength(1);
  });

  test('are as many at once as asked for', async () => {
    let current = 0;
    let most = 0;
    answerBatch = async (events) => {
      most = Math.max(most, ++current);
      await eventually(() => batches.length >= 3 || most > 2);
      current--;
      return { status: 200, body: events.map(ingested) };
    };
    const sender = newSender({ eventsMax: 2, concurrency: 2 });
    const sent = Array.from({ length: 8 }, (_, n) => sender.send(event(n)));
    await eventually(() => batches.length === 2);
    batches.push([]);
    await Promise.all(sent);
    expect(most).toBe(2);
  });
});

describe('what becomes of an event', () => {
  test('is told to those who wait for that one', async () => {
    answerBatch = ([first, , third]) => ({
      status: 200,
      body: [first && ingested(first), refused(422, 'Validation'), third && refused(409, 'EventAlreadyIngested', 'same_content')],
    });
    const sender = newSender();
    const sent = [1, 2, 3, 4].map((payload) => sender.send(event(payload)));
    const [outcomes] = await Promise.all([Promise.allSettled(sent), sender.flush()]);
    expect(outcomes).toMatchObject([
      { status: 'fulfilled' },
      { reason: { name: 'PostriderError', id: 'Validation', status: 422, operation: 'POST /events/batch' } },
      { reason: { id: 'EventAlreadyIngested' } },
      { reason: { id: null, detail: 'The answer does not say what became of this event.' } },
    ]);
    expect(batches).toHaveLength(1);
  });

  test('is found out by trying again, of those only that are worth it', async () => {
    answerBatch = (events) => ({
      status: 200,
      body: events.map((one, index) =>
        batches.length === 1 && index > 0 ? { ...refused(503, 'ServiceUnavailable'), retry_after: index } : ingested(one),
      ),
    });
    const sender = newSender();
    const sent = [1, 2, 3].map((payload) => sender.send(event(payload)));
    await sender.flush();
    await Promise.all(sent);
    expect(batches.map(payloads)).toEqual([
      ['1', '2', '3'],
      ['2', '3'],
    ]);
    expect(nowMs).toBe(2250);
  });

  test('is success where a lost answer was of success', async () => {
    answerBatch = (events) =>
      batches.length === 1 ? null : { status: 200, body: events.map(() => refused(409, 'EventAlreadyIngested', 'same_content')) };
    const sender = newSender();
    const sent = [1, 2].map((payload) => sender.send(event(payload)));
    await sender.flush();
    expect(await Promise.all(sent)).toMatchObject([{ received_at: null }, { received_at: null }]);
    expect(batches[1]).toEqual(batches[0]);
  });

  test('is a failure after the last try', async () => {
    answerBatch = (events) => ({ status: 200, body: events.map(() => refused(503, 'ServiceUnavailable')) });
    const sender = newSender({ retry: { attemptsMax: 3 } });
    const sent = Promise.allSettled([1, 2].map((payload) => sender.send(event(payload))));
    await sender.flush();
    expect(await sent).toMatchObject([{ reason: { id: 'ServiceUnavailable', attempts: 3 } }, { reason: { attempts: 3 } }]);
    expect(batches).toHaveLength(3);
  });

  test('is that of its half where the whole is too large for the API', async () => {
    answerBatch = (events) => (events.length > 2 ? { status: 413, body: null } : { status: 200, body: events.map(ingested) });
    const sender = newSender();
    const sent = [1, 2, 3, 4].map((payload) => sender.send(event(payload)));
    await sender.flush();
    expect(await Promise.all(sent)).toHaveLength(4);
    expect(batches.map((batch) => batch.length)).toEqual([4, 2, 2]);
  });

  test('is a failure of all where the whole is refused', async () => {
    answerBatch = () => ({ status: 403, body: refused(403, 'Forbidden').problem });
    const sender = newSender();
    const sent = Promise.allSettled([1, 2].map((payload) => sender.send(event(payload))));
    await sender.flush();
    expect(await sent).toMatchObject([{ reason: { id: 'Forbidden' } }, { reason: { id: 'Forbidden' } }]);
  });
});

test('an API without batches gets events one by one, and is asked again later', async () => {
  answerBatch = () => ({ status: 404, body: refused(404, 'NotFound').problem });
  const sender = newSender({ eventsMax: 2 });
  await Promise.all([1, 2, 3, 4].map((payload) => sender.send(event(payload))));
  await Promise.all([5, 6].map((payload) => sender.send(event(payload))));
  expect(payloads(singles).toSorted()).toEqual(['1', '2', '3', '4', '5', '6']);
  const asked = batches.length;
  expect(asked).toBeLessThanOrEqual(2);
  nowMs += 11 * 60_000;
  answerBatch = (events) => ({ status: 200, body: events.map(ingested) });
  await Promise.all([7, 8].map((payload) => sender.send(event(payload))));
  expect(batches).toHaveLength(asked + 1);
});

describe('pressure', () => {
  test('refuses what does not fit, and says when there is room', async () => {
    const gate = Promise.withResolvers<void>();
    answerBatch = async (events) => {
      await gate.promise;
      return { status: 200, body: events.map(ingested) };
    };
    const sender = newSender({ eventsMax: 2, pendingMax: 2 });
    const first = [1, 2].map((payload) => sender.send(event(payload)));
    await expect(sender.send(event(3))).rejects.toBeInstanceOf(PostriderSenderFullError);
    let isReady = false;
    const ready = sender.ready().then(() => (isReady = true));
    await eventually(() => batches.length === 1);
    expect(isReady).toBe(false);
    gate.resolve();
    await Promise.all([...first, ready]);
    const last = sender.send(event(4));
    await sender.close();
    await last;
  });

  test('forgets nobody who waits for room, though others do not use theirs', async () => {
    const gate = Promise.withResolvers<void>();
    answerBatch = async (events) => {
      await gate.promise;
      return { status: 200, body: events.map(ingested) };
    };
    const sender = newSender({ eventsMax: 2, pendingMax: 2 });
    const sent = [1, 2].map((payload) => sender.send(event(payload)));
    const ready = Array.from({ length: 9 }, () => sender.ready());
    gate.resolve();
    await Promise.all([...sent, ...ready]);
  });

  test('a closed sender decides what it has and takes nothing more', async () => {
    const sender = newSender();
    const sent = [1, 2].map((payload) => sender.send(event(payload)));
    const closed = sender.close();
    await expect(sender.send(event(3))).rejects.toThrow('The sender is closed.');
    await closed;
    expect(await Promise.all(sent)).toHaveLength(2);
    expect(sender.pending).toBe(0);
  });

  test('what cannot be written as JSON is refused alone', async () => {
    const sender = newSender();
    const bad = sender.send(event(1, { payload: 1n }));
    await expect(bad).rejects.toThrow(/BigInt/);
    expect(sender.pending).toBe(0);
  });

  test('a signal ends everything that is pending', async () => {
    const controller = new AbortController();
    answerBatch = () => new Promise(() => {});
    const sender = newSender({ eventsMax: 2, concurrency: 1, signal: controller.signal });
    const sent = Promise.allSettled([1, 2, 3].map((payload) => sender.send(event(payload))));
    await eventually(() => batches.length === 1);
    controller.abort(new Error('enough'));
    await sender.flush();
    expect((await sent).map((outcome) => outcome.status === 'rejected' && outcome.reason.message)).toEqual(['enough', 'enough', 'enough']);
  });
});
