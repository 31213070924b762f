import { expect, test } from 'vitest';
import { deliveryFor, explainMatch } from './subscription-match.ts';

const subscription = { isEnabled: true, isPaused: false, eventTypes: ['a.b.c'], labels: {} };
const event = { eventTypeName: 'a.b.c', labels: { tenant: 'acme' } };

test('no labels match every event of the listed types', () => {
  expect(explainMatch(subscription, event)).toEqual([]);
  expect(deliveryFor([])).toBe('now');
});

test('every obstacle is told, in order', () => {
  const rules = { isEnabled: false, isPaused: true, eventTypes: ['x.y.z'], labels: { tenant: 'other', region: 'eu' } };
  const reasons = explainMatch(rules, event);
  expect(reasons).toEqual([
    { code: 'disabled' },
    { code: 'paused' },
    { code: 'event_type_not_listed' },
    { code: 'label_differs', label: 'tenant', wanted: 'other', got: 'acme' },
    { code: 'label_missing', label: 'region', wanted: 'eu' },
  ]);
  expect(deliveryFor(reasons)).toBe('never');
});

test('a pause alone only delays', () => {
  expect(deliveryFor(explainMatch({ ...subscription, isPaused: true }, event))).toBe('when_resumed');
});

test('a label by the name of something that every object has is missing like any other', () => {
  const rules = { ...subscription, labels: { constructor: 'x' } };
  expect(explainMatch(rules, event)).toEqual([{ code: 'label_missing', label: 'constructor', wanted: 'x' }]);
});
