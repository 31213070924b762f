import { expect, test } from 'vitest';
import { hideSecrets } from './hide-secrets.ts';

test('hides what signs or opens something, wherever it stands', () => {
  const subscription = {
    subscription_id: '1',
    secret: 'a',
    standard_webhooks_secret: 'b',
    previous_secrets: ['c'],
    previous_secret_ends_at: '2026-01-01T00:00:00Z',
    target: { url: 'https://example.com', headers: { 'x-key': 'd', 'x-list': ['e', 'f'] } },
  };

  expect(hideSecrets([subscription])).toEqual([
    {
      subscription_id: '1',
      secret: '[hidden]',
      standard_webhooks_secret: '[hidden]',
      previous_secrets: ['[hidden]'],
      previous_secret_ends_at: '2026-01-01T00:00:00Z',
      target: { url: 'https://example.com', headers: { 'x-key': '[hidden]', 'x-list': ['[hidden]', '[hidden]'] } },
    },
  ]);
});

test('shows the end of the tokens that have no other id, and the ids of those that have one', () => {
  expect(hideSecrets({ token: '3f1c2a52-7d5e-4d0e-9b1a-5f0c8f9d2b11', name: 'ci' })).toEqual({ token: '…9d2b11', name: 'ci' });
  expect(hideSecrets({ token_id: '1', biscuit: 'x' })).toEqual({ token_id: '1', biscuit: '[hidden]' });
});

test("leaves what is the user's alone", () => {
  const event = { labels: { secret: 'no secret of ours' }, metadata: { token: 'x' }, payload: 'eA==' };

  expect(hideSecrets(event)).toEqual(event);
});
