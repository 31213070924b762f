import { expect, test } from 'vitest';
import { formatByteSize, parseByteSize } from './byte-size.ts';
import { commonSettings } from './common-settings.ts';
import { formatDuration, parseDurationMs } from './duration.ts';
import { boolean, duration, integer, list, oneOf, ratio, secret, text, url } from './setting-kinds.ts';
import { describeEffective, describeProblems, loadSettings } from './settings.ts';
import { renderSettingsTables } from './settings-doc.ts';

const declarations = {
  slots: integer({ name: 'SLOTS', group: 'Work', description: 'How many.', min: 1, max: 10 }, 3),
  timeoutMs: duration({ name: 'TIMEOUT', group: 'Work', description: 'How long.', minMs: 1000, maxMs: 60_000 }, 15_000),
  part: ratio({ name: 'PART', group: 'Work', description: 'A part.' }, 0.1),
  loud: boolean({ name: 'LOUD', group: 'Work', description: 'Whether.' }, false),
  level: oneOf({ name: 'LEVEL', group: 'Work', description: 'Which.', values: ['low', 'high'] }, 'low'),
  names: list<string>(
    { name: 'NAMES', group: 'Work', description: 'Who.' },
    { read: (item) => (/^[a-z]+$/.test(item) ? item : null), wants: 'names', show: (item) => item, fallback: [] },
  ),
  databaseUrl: url.required({ name: 'DATABASE_URL', group: 'Database', description: 'Where.', protocols: ['postgres:'] }),
  key: secret.optional({ name: 'KEY', group: 'Database', description: 'Secret.' }, (raw) => (raw.length > 3 ? raw : null), 'a longer key'),
  note: text.optional({ name: 'NOTE', group: 'Work', description: 'Any text.' }),
};

const required = { DATABASE_URL: 'postgres://user:hunter2@db/app' };

test('a flag beats the environment, which beats the default', () => {
  const loaded = loadSettings(declarations, { env: { ...required, SLOTS: '4', TIMEOUT: '20' }, flags: { slots: '5' } });
  expect(loaded).toMatchObject({ ok: true, values: { slots: 5, timeoutMs: 20_000, part: 0.1, names: [], key: null, note: null } });
});

test('an empty variable counts as unset', () => {
  expect(loadSettings(declarations, { env: { ...required, SLOTS: '' } })).toMatchObject({ ok: true, values: { slots: 3 } });
});

test('tells every problem at once, with secrets hidden', () => {
  const env = { SLOTS: '11', TIMEOUT: 'soon', PART: '1.5', LOUD: 'maybe', LEVEL: 'middle', NAMES: 'ann,B0B', KEY: 'abc' };
  const loaded = loadSettings(declarations, { env });
  const lines = loaded.ok ? [] : describeProblems(loaded.problems);
  expect(lines).toHaveLength(8);
  expect(lines.join('\n')).toContain('SLOTS: got "11"; wanted: a whole number from 1 to 10');
  expect(lines.join('\n')).toContain('DATABASE_URL: is missing');
  expect(lines.join('\n')).toContain('KEY: got "(hidden)"');
  expect(lines.join('\n')).not.toContain('abc');
});

test('shows effective values without passwords and secrets', () => {
  const loaded = loadSettings(declarations, { env: { ...required, KEY: 'abcdef' } });
  const shown = loaded.ok ? describeEffective(declarations, loaded.values) : {};
  expect(shown).toMatchObject({ DATABASE_URL: 'postgres://user:hidden@db/app', KEY: '(hidden)', TIMEOUT: '15s', NOTE: null });
});

test('names the command that makes a secrets key', () => {
  const loaded = loadSettings(commonSettings({ databaseConnectionsMax: 3 }), { env: {} });
  expect(loaded.ok ? [] : loaded.problems.map(({ name }) => name)).toEqual(['DATABASE_URL', 'SECRETS_KEY']);
  expect(loaded.ok ? '' : loaded.problems[1]?.wants).toContain('randomBytes(32)');
});

test('documents each setting with its default', () => {
  const tables = renderSettingsTables(declarations, { flags: true });
  expect(tables).toContain('| `--timeout` | `TIMEOUT` | `15s` | How long. |');
  expect(tables).toContain('| `--database-url` | `DATABASE_URL` | **required** | Where. |');
});

test.each([
  ['250ms', 250],
  ['15s', 15_000],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['2d', 172_800_000],
  ['30', 30_000],
  ['0', 0],
  ['1.5s', 1500],
])('reads the duration %s as %d ms', (given, expected) => {
  expect(parseDurationMs(given)).toBe(expected);
});

test.each(['', '-1s', '1 s', 's', '1w', '1e3', 'Infinity'])('reads no duration from %j', (given) => {
  expect(parseDurationMs(given)).toBeNull();
});

test('writes durations and sizes in their largest whole unit', () => {
  expect([0, 250, 15_000, 5_400_000, 86_400_000].map(formatDuration)).toEqual(['0s', '250ms', '15s', '90m', '1d']);
  expect([0, 1000, 16_384, 1_048_576].map(formatByteSize)).toEqual(['0', '1000', '16KiB', '1MiB']);
  expect(['4096', '16KiB', '1MiB', '2B'].map(parseByteSize)).toEqual([4096, 16_384, 1_048_576, 2]);
  expect(['', '1KB', '-1', '1.5MiB'].map(parseByteSize)).toEqual([null, null, null, null]);
});
