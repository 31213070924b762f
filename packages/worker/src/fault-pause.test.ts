import { expect, test } from 'vitest';
import { createFaultPause } from './fault-pause.ts';

function givenPause() {
  const clock = { nowMs: 0 };
  return { clock, pause: createFaultPause(() => clock.nowMs) };
}

test('nothing is paused while receivers fail by themselves', () => {
  const { pause } = givenPause();
  pause.note('error');
  pause.note('response');
  expect(pause.leftMs()).toBe(0);
});

test('faults of ours pause for longer each time, up to a bound', () => {
  const { pause, clock } = givenPause();
  const pauses: number[] = [];
  for (let count = 0; count < 7; count += 1) {
    pause.note('own_fault');
    pauses.push(pause.leftMs());
    clock.nowMs += pause.leftMs();
  }
  expect(pauses).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000]);
});

test('what was in flight together counts once', () => {
  const { pause, clock } = givenPause();
  pause.note('own_fault');
  clock.nowMs = 100;
  pause.note('own_fault');
  pause.note('error');
  expect(pause.leftMs()).toBe(150);
});

test('an answer ends a pause, and the next begins anew', () => {
  const { pause, clock } = givenPause();
  pause.note('own_fault');
  clock.nowMs = 250;
  pause.note('own_fault');
  pause.note('response');
  expect(pause.leftMs()).toBe(0);
  pause.note('own_fault');
  expect(pause.leftMs()).toBe(250);
});
