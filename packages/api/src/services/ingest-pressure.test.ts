import { expect, test } from 'vitest';
import { createIngestPressure } from './ingest-pressure.ts';

const waitLimitMs = 1000;
const busy = { events: 1, bytes: 1000, groupsInFlight: 2, isNext: false };
const idle = { ...busy, groupsInFlight: 0, isNext: true };

function givenPressure() {
  const clock = { nowMs: 0 };
  const pressure = createIngestPressure({ waitLimitMs, concurrentGroupsMax: 2, now: () => clock.nowMs });
  const write = (tookMs: number): void => {
    const ended = pressure.groupStarted();
    clock.nowMs += tookMs;
    ended('written');
  };
  return { clock, pressure, write };
}

test('takes as much as fits into memory while the database is fast', () => {
  const { pressure, write } = givenPressure();
  write(10);
  expect(pressure.refusalOf({ ...busy, events: 9999 })).toBeNull();
  expect(pressure.refusalOf({ ...busy, events: 10_000 })).toBe('too_many_events');
  expect(pressure.refusalOf({ ...busy, bytes: 64 * 1024 * 1024 + 1 })).toBe('too_many_bytes');
});

test('refuses what would wait too long by the time of recent groups, counted by events and by bytes', () => {
  const { pressure, write } = givenPressure();
  Array.from({ length: 20 }).forEach(() => write(300));
  expect(pressure.refusalOf(busy)).toBeNull();
  expect(pressure.refusalOf({ ...busy, events: 1100 })).toBeNull();
  expect(pressure.refusalOf({ ...busy, events: 1200 })).toBe('slow_database');
  expect(pressure.refusalOf({ ...busy, bytes: 24 * 1024 * 1024 })).toBe('slow_database');
});

test('a group that stands still counts before it ends', () => {
  const { clock, pressure, write } = givenPressure();
  write(10);
  pressure.groupStarted();
  clock.nowMs += waitLimitMs + 1;
  expect(pressure.refusalOf(busy)).toBe('slow_database');
});

test('one slow group is no reason, several are, and fast ones make it good', () => {
  const { pressure, write } = givenPressure();
  write(10);
  write(2000);
  expect(pressure.refusalOf(busy)).toBeNull();
  write(2000);
  write(2000);
  expect(pressure.refusalOf(busy)).toBe('slow_database');
  Array.from({ length: 5 }).forEach(() => write(10));
  expect(pressure.refusalOf(busy)).toBeNull();
});

test('what would be written at once is always taken, so that recovery is noticed', () => {
  const { pressure, write } = givenPressure();
  Array.from({ length: 10 }).forEach(() => write(10_000));
  expect(pressure.refusalOf(busy)).toBe('slow_database');
  expect(pressure.refusalOf({ ...busy, groupsInFlight: 1 })).toBe('slow_database');
  expect(pressure.refusalOf({ ...busy, groupsInFlight: 1, isNext: true })).toBeNull();
});

test('while the database is away, one group at a time finds out', () => {
  const { pressure } = givenPressure();
  pressure.groupStarted()('database_away');
  expect(pressure.refusalOf(idle)).toBeNull();
  const ended = pressure.groupStarted();
  expect(pressure.refusalOf({ ...idle, groupsInFlight: 1 })).toBe('database_away');
  ended('written');
  expect(pressure.refusalOf({ ...idle, groupsInFlight: 1 })).toBeNull();
});
