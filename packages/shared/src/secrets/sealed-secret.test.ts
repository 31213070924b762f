import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { parseSecretsKey, SealBrokenError, SealedUnderOtherKeyError, type SecretsKey, seal, tokenHash, unseal } from './sealed-secret.ts';

function newKey(): SecretsKey {
  const key = parseSecretsKey(randomBytes(32).toString('base64'));
  if (!key) {
    throw new Error('32 random bytes are not a key.');
  }
  return key;
}

const context = 'subscription:1';

test('opens what it sealed, and never seals twice alike', () => {
  const key = newKey();
  const first = seal(key, 'geheim ✓', context);
  expect(unseal(key, first, context)).toBe('geheim ✓');
  expect(seal(key, 'geheim ✓', context).equals(first)).toBe(false);
  expect(first.includes('geheim')).toBe(false);
});

test('does not open under another key, and says so without the secret', () => {
  const sealed = seal(newKey(), 'geheim', context);
  expect(() => unseal(newKey(), sealed, context)).toThrow(SealedUnderOtherKeyError);
  expect(() => unseal(newKey(), sealed, context)).not.toThrow(/geheim/);
});

test('opens under each key that it may read, and seals under its own', () => {
  const [before, after] = [newKey(), newKey()];
  const changing = { ...after, alsoOpens: [newKey(), before] };
  expect(unseal(changing, seal(before, 'old', context), context)).toBe('old');
  expect(unseal(after, seal(changing, 'new', context), context)).toBe('new');
  expect(() => unseal({ ...after, alsoOpens: [newKey()] }, seal(before, 'old', context), context)).toThrow(before.id.toString('hex'));
});

test('does not open in another place', () => {
  const key = newKey();
  expect(() => unseal(key, seal(key, 'geheim', context), 'subscription:2')).toThrow(SealBrokenError);
});

test('does not open when any byte was changed or is missing', () => {
  const key = newKey();
  const sealed = seal(key, 'geheim', context);
  for (let index = 0; index < sealed.length; index += 1) {
    const changed = Buffer.from(sealed);
    changed.writeUInt8(changed.readUInt8(index) ^ 1, index);
    expect(() => unseal(key, changed, context)).toThrow(/sealed/);
  }
  expect(() => unseal(key, sealed.subarray(0, -1), context)).toThrow(SealBrokenError);
  expect(() => unseal(key, Buffer.alloc(0), context)).toThrow(SealBrokenError);
});

test.each(['', 'short', randomBytes(31).toString('base64'), randomBytes(33).toString('base64'), `${randomBytes(32).toString('base64')} `])(
  'takes no key from %j',
  (text) => {
    expect(parseSecretsKey(text)).toBeNull();
  },
);

test('hashes tokens by SHA-256', () => {
  expect(tokenHash('abc').toString('hex')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});
