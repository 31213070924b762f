import { tokenHash } from '@postrider/shared/secrets/sealed-secret';
import { expect, test } from 'vitest';
import { createTokenCache } from './token-cache.ts';

const owner = { application_secret_id: 'secret', application_id: 'application' };
const token = tokenHash('token');

function givenCache(ttlMs = 60_000) {
  const state = { lookUps: 0, clock: 0, exists: true };
  const cache = createTokenCache({
    async lookUp() {
      state.lookUps += 1;
      return state.exists ? owner : undefined;
    },
    ttlMs,
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
