import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { array, assert, asyncProperty, constant, jsonValue, oneof, record, string } from 'fast-check';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { hashAuditEntry, jsonbText } from './audit-entry.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
});
afterAll(() => database.drop());

/** What jsonb can hold: whole Unicode characters but U+0000, and numbers that JavaScript and PostgreSQL write alike. */
function isStorable(value: unknown): boolean {
  return !/\\u0000|\\ud[89a-f]|-0[,}\]]|e[+-]?\d/i.test(JSON.stringify([value]));
}

test('JSON is written as PostgreSQL writes jsonb', async () => {
  const names = oneof(string({ unit: 'grapheme' }), constant('é'), constant('zz'), constant('__proto__'), string({ unit: 'binary' }));
  const values = array(oneof(jsonValue({ stringUnit: 'binary' }), record({ a: jsonValue(), bb: names }), names)).filter(isStorable);
  await assert(
    asyncProperty(values, async (value) => {
      const { rows } = await database.db.query<{ text: string }>({
        text: 'select $1::jsonb::text as text',
        values: [JSON.stringify(value)],
      });
      expect(jsonbText(value)).toBe(rows[0]?.text);
    }),
    { numRuns: 300, examples: [[[{ b: 1, a: 2, é: 3, zz: 4, 'z"\n\u0001\u007f\u2028': '\b\f\t\\/' }, [], {}, [null, true]]]] },
  );
});

test('an entry has the hash that anyone can compute for it, in SQL too', async () => {
  const { rows } = await database.admin.query<{ hash: string; recorded_at: Date; sql_hash: string }>({
    text: `
      with entry as (
        insert into iam.audit_log (organization_id, actor_kind, actor_id, ip, request_id, action, target_kind, target_id, changes)
        values ('0192b6a0-7d3e-7c3a-9f67-3d6f5a0b1c2d', 'service_token', '0192b6a0-7d3e-7c3a-9f67-3d6f5a0b1c2e', '::ffff:10.0.0.1', 'r-1',
                'things.change', 'thing', 'one "two"', '{"name": {"from": null, "to": "é"}, "id": {}}')
        returning *
      )
      select encode(hash, 'hex') as hash, recorded_at,
             encode(sha256(convert_to(jsonb_build_array(
               'postrider audit entry 1', organization_id, sequence,
               to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
               actor_kind, actor_id, host(ip), request_id, action, target_kind, target_id, application_id, changes,
               encode(previous_hash, 'hex')
             )::text, 'UTF8')), 'hex') as sql_hash
      from entry`,
  });

  const computed = hashAuditEntry({
    organizationId: '0192b6a0-7d3e-7c3a-9f67-3d6f5a0b1c2d',
    sequence: 1,
    recordedAt: rows[0]?.recorded_at.toISOString() ?? '',
    actorKind: 'service_token',
    actorId: '0192b6a0-7d3e-7c3a-9f67-3d6f5a0b1c2e',
    ip: '::ffff:10.0.0.1',
    requestId: 'r-1',
    action: 'things.change',
    targetKind: 'thing',
    targetId: 'one "two"',
    applicationId: null,
    changes: { name: { to: 'é', from: null }, id: {} },
    previousHash: '0'.repeat(64),
  });
  expect([rows[0]?.hash, rows[0]?.sql_hash]).toEqual([computed, computed]);
});
