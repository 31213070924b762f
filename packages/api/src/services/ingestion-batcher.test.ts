import type { EventToIngest } from '@postrider/shared/database/queries/ingest-events';
import { wakeUpDelayMs } from '@postrider/shared/domain/ingest-groups';
import { expect, test } from 'vitest';
import type { IngestedGroup, NewEvent } from './ingest-events.ts';
import { createIngestionBatcher } from './ingestion-batcher.ts';

const event: NewEvent = {
  applicationId: '01a1fcb8-5f59-756c-bf31-2e521cc2a18b',
  eventId: null,
  eventTypeName: 'order.item.created',
  payload: Buffer.from('{}'),
  payloadContentType: 'application/json',
  occurredAt: new Date('2026-01-01T00:00:00Z'),
  labels: {},
  metadata: {},
  ip: null,
  applicationSecretId: null,
};

interface Group {
  readonly events: readonly EventToIngest[];
  write(): void;
  fail(error: Error): void;
}

/** A batcher whose groups are written when the test says so. */
function givenBatcher(waitLimitMs: number, refusal?: () => 'backlog' | null) {
  const groups: Group[] = [];
  const wakeUps: number[] = [];
  const batcher = createIngestionBatcher({
    ingestGroup(events) {
      const { promise, resolve, reject } = Promise.withResolvers<IngestedGroup>();
      const results = events.map(({ eventId }) => ({ kind: 'ingested', eventId, receivedAt: '1970-01-01T00:00:00.000Z' }) as const);
      groups.push({ events, write: () => resolve({ results, poolIds: [0], parkedPoolIds: [] }), fail: reject });
      return promise;
    },
    ensurePartitions: () => Promise.resolve(),
    notify: (_pools, withinMs) => wakeUps.push(withinMs),
    wait: () => Promise.resolve(),
    report: { groupIngested() {}, groupResent() {} },
    now: () => performance.now(),
    waitLimitMs,
    ...(refusal ? { refusal } : {}),
  });
  return { batcher, groups, wakeUps };
}

const reasonOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'ingested',
    (error: unknown) => Object(error).reason ?? Object(error).code,
  );
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

test('what waits longer than the limit is refused, what was sent is not', async () => {
  const { batcher, groups } = givenBatcher(50);
  const sent = Array.from({ length: 400 }, () => batcher.ingest(event));
  const tooLate = batcher.ingest(event);
  expect(await reasonOf(tooLate)).toBe('waited_too_long');
  // A timer may end a little before the time that it was set to: one more waits at most, and what comes after that is refused at once.
  await reasonOf(batcher.ingest(event));
  expect(await reasonOf(batcher.ingest(event))).toBe('slow_database');
  expect(groups.map(({ events }) => events.length)).toEqual([200, 200]);
  groups.forEach((group) => group.write());
  expect(await Promise.all(sent.map(reasonOf))).toEqual(sent.map(() => 'ingested'));
  const after = batcher.ingest(event);
  await turn();
  groups.at(-1)?.write();
  expect(await reasonOf(after)).toBe('ingested');
});

test('beside a small group another one is written at once, beside a large one when much waits, and a third one when it is full', async () => {
  const { batcher, groups } = givenBatcher(60_000);
  const sizes = (): number[] => groups.map(({ events }) => events.length);
  const ingest = async (count: number): Promise<void> => {
    Array.from({ length: count }, () => void batcher.ingest(event));
    await turn();
  };
  await ingest(1);
  await ingest(30);
  expect(sizes()).toEqual([1, 30]);
  groups[0]?.write();
  await turn();
  await ingest(20);
  expect(sizes()).toEqual([1, 30]);
  await ingest(79);
  expect(sizes()).toEqual([1, 30]);
  await ingest(1);
  expect(sizes()).toEqual([1, 30, 100]);
  await ingest(199);
  expect(sizes()).toEqual([1, 30, 100]);
  await ingest(1);
  expect(sizes()).toEqual([1, 30, 100, 200]);
  await ingest(205);
  expect(sizes()).toEqual([1, 30, 100, 200]);
  groups[1]?.write();
  await turn();
  expect(sizes()).toEqual([1, 30, 100, 200, 200]);
  groups.slice(2).forEach((group) => group.write());
  await turn();
  expect(sizes()).toEqual([1, 30, 100, 200, 200, 5]);
  groups.at(-1)?.write();
});

test('the next group goes to the database before the last one is answered, and workers hear of both together', async () => {
  const { batcher, groups, wakeUps } = givenBatcher(60_000);
  const groupsAtAnswers: number[] = [];
  const first = Array.from({ length: 10 }, async () => {
    await batcher.ingest(event);
    groupsAtAnswers.push(groups.length);
  });
  await turn();
  const second = Array.from({ length: 10 }, () => batcher.ingest(event));
  expect(groups.length).toBe(1);
  groups[0]?.write();
  await Promise.all(first);
  expect(groupsAtAnswers).toEqual(first.map(() => 2));
  groups[1]?.write();
  await Promise.all(second);
  expect(wakeUps).toEqual([wakeUpDelayMs, 0]);
});

test('who waits for the end finds everything answered', async () => {
  const { batcher, groups, wakeUps } = givenBatcher(60_000);
  let isAnswered = false;
  void batcher.ingest(event).then(() => (isAnswered = true));
  await turn();
  groups[0]?.write();
  await batcher.drain();
  expect(isAnswered).toBe(true);
  expect(wakeUps).toEqual([0]);
});

test('when the database is away, what waits is refused with what failed, and the next event tries again', async () => {
  const { batcher, groups } = givenBatcher(60_000);
  const sent = Array.from({ length: 400 }, () => reasonOf(batcher.ingest(event)));
  const waits = reasonOf(batcher.ingest(event));
  await turn();
  const away = Object.assign(new Error('away'), { code: 'ECONNREFUSED' });
  for (let tries = 0; tries < 5; tries += 1) {
    groups.splice(0).forEach((group) => group.fail(away));
    await turn();
  }
  expect(await waits).toBe('database_away');
  expect(new Set(await Promise.all(sent))).toEqual(new Set(['ECONNREFUSED']));
  const probe = batcher.ingest(event);
  await turn();
  expect(await reasonOf(batcher.ingest(event))).toBe('database_away');
  groups.at(-1)?.write();
  expect(await reasonOf(probe)).toBe('ingested');
});

test('a reason from elsewhere refuses everything for as long as it holds', async () => {
  let reason: 'backlog' | null = 'backlog';
  const { batcher, groups } = givenBatcher(60_000, () => reason);
  expect(await reasonOf(batcher.ingest(event))).toBe('backlog');
  reason = null;
  const taken = batcher.ingest(event);
  await turn();
  groups.at(-1)?.write();
  expect(await reasonOf(taken)).toBe('ingested');
});
