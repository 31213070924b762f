import { expect, test } from 'vitest';
import { createMemory } from './memory.ts';

const owner = { application_id: 'application' };
const token = 'token';

function givenCache(ttlMs = 60_000, holdsForMs: number | null = null) {
  const state = { lookUps: 0, clock: 0, exists: true };
  const cache = createMemory({
    async lookUp() {
      state.lookUps += 1;
      return state.exists ? owner : undefined;
    },
    ttlMs,
    holdsForMs: () => holdsForMs,
    now: () => state.clock,
  });
  return { state, cache };
}

test('asks once while it hears of deletions, and again when the time is up', async () => {
  const { state, cache } = givenCache();
  cache.setListening(true);
  await cache.find(token);
  expect(await cache.find(token)).toEqual(owner);
  expect(state.lookUps).toBe(1);
  state.clock = 60_000;
  await cache.find(token);
  expect(state.lookUps).toBe(2);
});

test('asks each time while it does not hear of deletions, or is switched off', async () => {
  const { state, cache } = givenCache();
  await cache.find(token);
  await cache.find(token);
  expect(state.lookUps).toBe(2);
  const off = givenCache(0);
  off.cache.setListening(true);
  await off.cache.find(token);
  await off.cache.find(token);
  expect(off.state.lookUps).toBe(2);
});

test('a deleted token is refused at once, also when it was being looked up', async () => {
  const { state, cache } = givenCache();
  cache.setListening(true);
  const underWay = cache.find(token);
  cache.clear();
  await underWay;
  state.exists = false;
  expect(await cache.find(token)).toBeUndefined();
});

test('does not keep that a token is unknown', async () => {
  const { state, cache } = givenCache();
  cache.setListening(true);
  state.exists = false;
  expect(await cache.find(token)).toBeUndefined();
  state.exists = true;
  expect(await cache.find(token)).toEqual(owner);
});

test('does not keep a token past its expiry, counted from before it was asked for', async () => {
  const { state, cache } = givenCache(60_000, 5000);
  cache.setListening(true);
  await cache.find(token);
  state.clock = 4999;
  await cache.find(token);
  expect(state.lookUps).toBe(1);
  state.clock = 5000;
  state.exists = false;
  expect(await cache.find(token)).toBeUndefined();
});

test('tells whether it had to ask', async () => {
  const results: string[] = [];
  const cache = createMemory({
    lookUp: () => Promise.resolve(owner),
    ttlMs: 60_000,
    now: () => 0,
    onLookUp: (result) => results.push(result),
  });
  cache.setListening(true);
  await cache.find(token);
  await cache.find(token);
  cache.clear();
  await cache.find(token);
  expect(results).toEqual(['miss', 'hit', 'miss']);
});

test('what is used stays when others push each other out', async () => {
  const { state, cache } = givenCache();
  cache.setListening(true);
  await cache.find(token);
  for (let other = 0; other < 50_000; other += 1) {
    await cache.find(String(other));
    await cache.find(token);
  }
  expect(state.lookUps).toBe(50_001);
  await cache.find('0');
  expect(state.lookUps).toBe(50_002);
});
