import { expect, test } from 'vitest';
import { startCountingReceiver } from './counting-receiver-process.ts';

test('counts requests, and how often each attempt arrived', async () => {
  const receiver = await startCountingReceiver();
  for (const attempt of ['a', 'b', 'a', 'a', 'c']) {
    const response = await fetch(receiver.url, { method: 'POST', headers: { 'x-attempt-id': attempt }, body: 'payload' });
    await response.arrayBuffer();
  }

  expect(await receiver.stats()).toMatchObject({ requests: 5, distinct: 3, repeated: [['a', 3]] });

  receiver.kill('SIGTERM');
  expect(await receiver.waitForExit()).toBe(0);
});

test('delays its answers', async () => {
  const receiver = await startCountingReceiver({ delayMs: 100 });
  const startedAt = performance.now();
  await fetch(receiver.url, { method: 'POST', headers: { 'x-attempt-id': 'a' } });
  // A timer may fire a millisecond early.
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(98);
  receiver.kill('SIGKILL');
  await receiver.waitForExit();
});
