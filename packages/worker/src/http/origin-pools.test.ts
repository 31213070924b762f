import { startReceiver } from '@postrider/testkit/receiver';
import { Pool } from 'undici';
import { expect, test } from 'vitest';
import { createOriginPools } from './origin-pools.ts';

function givenPools(originsMax = 100) {
  const clock = { nowMs: 0 };
  const made: Pool[] = [];
  const pools = createOriginPools({
    createPool: (origin) => {
      const pool = new Pool(origin);
      made.push(pool);
      return pool;
    },
    originsMax,
    idleMs: 60_000,
    now: () => clock.nowMs,
  });
  return { pools, clock, made };
}

test('keeps one pool per origin', () => {
  const { pools, made } = givenPools();
  expect(pools.get('http://a.example')).toBe(pools.get('http://a.example'));
  pools.get('http://b.example');
  expect(made).toHaveLength(2);
});

test('forgets origins that were not used for a while, and closes their connections', () => {
  const { pools, clock, made } = givenPools();
  pools.get('http://idle.example');
  pools.get('http://used.example');
  clock.nowMs = 50_000;
  pools.get('http://used.example');
  clock.nowMs = 61_000;
  pools.get('http://new.example');

  expect(pools.size()).toBe(2);
  expect(made.map(({ destroyed }) => destroyed)).toEqual([true, false, false]);
});

test('makes room for the next origin by the one that was not used for longest', () => {
  const { pools, clock, made } = givenPools(2);
  pools.get('http://a.example');
  pools.get('http://b.example');
  clock.nowMs = 2000;
  pools.get('http://a.example');
  pools.get('http://c.example');

  expect(made.map(({ destroyed }) => destroyed)).toEqual([false, true, false]);
});

test('never takes an origin away from its requests', () => {
  const { pools, clock, made } = givenPools(1);
  pools.get('http://busy.example').inFlight += 1;
  clock.nowMs = 120_000;
  pools.get('http://new.example');

  expect(pools.size()).toBe(2);
  expect(made.map(({ destroyed }) => destroyed)).toEqual([false, false]);
});

test('forgets an origin whose request was broken off', async () => {
  const receiver = await startReceiver();
  receiver.respond('/', { kind: 'hang' });
  const { pools, clock } = givenPools();
  const { pool } = pools.get(receiver.url);
  const ended = new Promise((resolve) => {
    pool.dispatch(
      { path: '/', method: 'POST', body: 'x' },
      {
        onRequestStart: (controller) => void receiver.waitForRequests(1).then(() => controller.abort(new Error('timed out'))),
        onResponseStart() {},
        onResponseData() {},
        onResponseEnd() {},
        onResponseError: (_controller, error) => resolve(error),
      },
    );
  });
  expect(await ended).toMatchObject({ message: 'timed out' });
  clock.nowMs = 61_000;
  pools.get('http://new.example');

  expect(pools.size()).toBe(1);
  await pools.destroy();
  await receiver.close();
});
