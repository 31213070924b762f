import { setTimeout as wait } from 'node:timers/promises';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { parseWakeUp } from '../domain/wake-up.ts';
import { listen } from './listen.ts';
import { dueAttemptsChannel } from './queries/notify-due-attempts.ts';
import { createWakeUpNotifier } from './wake-up-notifier.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
});
afterAll(() => database.drop());

const logger = pino({ level: 'silent' });

/** A notifier, and the pools that a worker hears of, message by message. */
async function givenNotifier() {
  const heard: (readonly number[] | 'all')[] = [];
  const listening = Promise.withResolvers<void>();
  const listener = listen({
    connection: { connectionString: database.runtimeUrl },
    channel: dueAttemptsChannel,
    onNotification: (payload) => heard.push(parseWakeUp(payload).poolIds),
    onListening: listening.resolve,
    logger,
  });
  onTestFinished(() => listener.stop());
  await listening.promise;
  return { notifier: createWakeUpNotifier(database.db, logger, Math.random), heard };
}

test('what may wait is sent with what may not, once', async () => {
  const { notifier, heard } = await givenNotifier();
  notifier.notify([1], { withinMs: 3_600_000 });
  notifier.notify([2], { withinMs: 3_600_000 });
  notifier.notify([3]);
  await expect.poll(() => heard).toEqual([[1, 2, 3]]);
  notifier.notify([4], { withinMs: 3_600_000 });
  await notifier.flush();
  await expect.poll(() => heard).toEqual([[1, 2, 3], [4]]);
});

test('what may wait is sent when its time is up, with what came meanwhile', async () => {
  const { notifier, heard } = await givenNotifier();
  notifier.notify([1], { withinMs: 20 });
  notifier.notify([2], { withinMs: 3_600_000 });
  await expect.poll(() => heard).toEqual([[1, 2]]);
});

test('when the time of what has been sent already is up, and nothing is left to send, the next is sent all the same', async () => {
  const { notifier, heard } = await givenNotifier();
  notifier.notify([1]);
  notifier.notify([2], { withinMs: 20 });
  await expect.poll(() => heard).toEqual([[1], [2]]);
  await wait(40);
  notifier.notify([3]);
  await expect.poll(() => heard).toEqual([[1], [2], [3]]);
  await notifier.flush();
  await notifier.flush();
  notifier.notify([4]);
  await expect.poll(() => heard).toEqual([[1], [2], [3], [4]]);
});
