import { describe, expect, test } from 'vitest';
import { describeChanges } from './describe-changes.ts';

describe('what is compared', () => {
  test('only members that differ are named, with what they were and became', () => {
    const before = { name: 'Shop', labels: { a: 'b' }, updated_at: new Date(0) };
    expect(describeChanges(before, { ...before, name: 'Store', labels: { a: 'b' }, updated_at: new Date(1) })).toEqual({
      name: { from: 'Shop', to: 'Store' },
    });
  });

  test('what did not exist has no past, and what does not exist any more no future', () => {
    expect(describeChanges(null, { name: 'Shop', description: null })).toEqual({ name: { to: 'Shop' }, description: { to: null } });
    expect(describeChanges({ name: 'Shop' }, null)).toEqual({ name: { from: 'Shop' } });
  });

  test('values become JSON that jsonb can take', () => {
    const after = { at: new Date(0), text: 'a\u0000b\ud800c', nested: { '\ud800': [true, 1, undefined] } };
    expect(describeChanges(null, after)).toEqual({
      at: { to: '1970-01-01T00:00:00.000Z' },
      text: { to: 'a\ufffdb\ufffdc' },
      nested: { to: { '\ufffd': [true, 1, null] } },
    });
  });

  test('a member named __proto__ is a member', () => {
    const after: unknown = JSON.parse('{"metadata":{"__proto__":"x"}}');
    expect(JSON.stringify(describeChanges(null, Object(after)))).toBe('{"metadata":{"to":{"__proto__":"x"}}}');
  });
});

describe('what is redacted', () => {
  test.each([
    'secret',
    'token',
    'biscuit_token',
    'secret_sealed',
    'standard_webhooks_secret',
    'password',
    'Authorization',
    'client-credentials',
    'api_key',
    'X-Api-Key',
    'private_key',
  ])('a value named %s, at any depth', (name) => {
    const text = JSON.stringify(describeChanges({ [name]: 'hush-1', metadata: { [name]: ['hush-2'] } }, { [name]: { deep: 'hush-3' } }));
    expect(text).toContain('[redacted]');
    expect(text).not.toContain('hush');
  });

  test('bytes, whatever their name', () => {
    expect(describeChanges({ payload: Buffer.from('hush-1') }, { payload: Buffer.from('hush-2') })).toEqual({
      payload: { from: '[redacted]', to: '[redacted]' },
    });
    expect(describeChanges({ payload: Buffer.from('same') }, { payload: Buffer.from('same') })).toEqual({});
  });

  test('the values of headers, but not their names', () => {
    const before = { target_headers: { 'x-a': 'hush', 'x-b': ['hush', 'hush'] } };
    expect(describeChanges(before, { target_headers: {} })).toEqual({
      target_headers: { from: { 'x-a': '[redacted]', 'x-b': '[redacted]' }, to: {} },
    });
    expect(JSON.stringify(describeChanges(null, { target: { headers: { 'x-a': 'hush' } } }))).not.toContain('hush');
  });

  test.each([
    ['https://user:hush@example.com/hook?token=hush#hush', 'https://[redacted]@example.com/hook?[redacted]#[redacted]'],
    ['https://example.com:8443/hook', 'https://example.com:8443/hook'],
    ['not a URL with a hush', '[redacted]'],
  ])('what a URL carries: %s', (url, shown) => {
    expect(describeChanges(null, { target_url: url })).toEqual({ target_url: { to: shown } });
  });

  test('ids of secrets and times are told', () => {
    const after = { application_secret_id: 'id-1', token_ids: ['id-2'], secret_expires_at: new Date(0) };
    expect(describeChanges(null, after)).toEqual({
      application_secret_id: { to: 'id-1' },
      token_ids: { to: ['id-2'] },
      secret_expires_at: { to: '1970-01-01T00:00:00.000Z' },
    });
  });
});
