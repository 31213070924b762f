import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Database, OpenPool } from '@postrider/shared/database/pool';
import { installationId } from '@postrider/shared/domain/audit-entry';
import { auditBatchMax } from '@postrider/shared/domain/limits';
import { createTestDatabase, openTestPool, type TestDatabase } from '@postrider/testkit/test-database';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createAudit } from './audit.ts';
import { type AuditPin, verifyAuditChain, verifyAuditLog } from './verify-audit-log.ts';

let database: TestDatabase;
let owner: OpenPool;

beforeAll(async () => {
  database = await createTestDatabase(inject('superuserUrl'));
  owner = openTestPool(database.ownerUrl);
});
afterAll(async () => {
  await owner.end();
  await database.drop();
});

const audit = createAudit({ actor: { kind: 'master', id: null }, ip: '127.0.0.1', requestId: null, action: 'things.change' });

/** Entries of a new organization, each in a transaction of its own. */
async function writeChain(count: number): Promise<string> {
  const organizationId = crypto.randomUUID();
  for (let index = 1; index <= count; index += 1) {
    await append(organizationId, index);
  }
  return organizationId;
}

function append(organizationId: string, index: number): Promise<void> {
  return database.db.transaction((transaction) =>
    audit(transaction, {
      owner: { organizationId },
      target: { kind: 'thing', id: String(index) },
      before: null,
      after: { metadata: { number: index, text: 'a "b" é' } },
    }),
  );
}

/** As only the owner of the table can: with its guards out of the way. */
async function tamper(...statements: string[]): Promise<void> {
  await owner.transaction(async (transaction) => {
    for (const text of ['alter table iam.audit_log disable trigger user', ...statements]) {
      await transaction.query({ text });
    }
    await transaction.query({ text: 'alter table iam.audit_log enable trigger audit_log_chain' });
    await transaction.query({ text: 'alter table iam.audit_log enable always trigger audit_log_append_only' });
  });
}

async function headOf(organizationId: string): Promise<AuditPin> {
  const verdict = await verifyAuditChain(database.db, organizationId, null);
  if (verdict.kind === 'broken') {
    throw new Error(verdict.detail);
  }
  return verdict.head;
}

describe('the table', () => {
  const attempts = [
    "update iam.audit_log set action = 'x'",
    'update iam.audit_log set action = action where false',
    'delete from iam.audit_log',
    'truncate iam.audit_log',
    `insert into iam.audit_log select * from iam.audit_log limit 1
     on conflict (organization_id, sequence) do update set action = 'x'`,
    "merge into iam.audit_log l using (values (1)) v (one) on true when matched then update set action = 'x'",
  ];

  test.each(attempts)('refuses the owner: %s', async (text) => {
    const organizationId = await writeChain(1);
    await expect(owner.query({ text })).rejects.toThrow('the audit log is append-only');
    expect(await headOf(organizationId)).toMatchObject({ sequence: 1 });
  });

  test.each(attempts)('refuses a superuser who claims to replicate: %s', async (text) => {
    await writeChain(1);
    const refused = database.admin.transaction(async (transaction) => {
      await transaction.query({ text: 'set local session_replication_role = replica' });
      await transaction.query({ text });
    });
    await expect(refused).rejects.toThrow('the audit log is append-only');
  });

  test.each(attempts)('refuses the runtime role, which may only read and add: %s', async (text) => {
    await writeChain(1);
    await expect(database.db.query({ text })).rejects.toThrow('permission denied');
  });

  test('gives number, time and hashes itself, whatever the writer says', async () => {
    const organizationId = await writeChain(2);
    await database.db.query({
      text: `insert into iam.audit_log (organization_id, sequence, recorded_at, actor_kind, action, target_kind, target_id, changes,
                                        previous_hash, hash)
             values ($1, 77, '1999-01-01', 'system', 'x', 'x', 'x', '{}', sha256('a'), sha256('b')), ($1, 77, '2999-01-01', 'system', 'y', 'y',
                     'y', '{}', sha256('a'), sha256('b'))`,
      values: [organizationId],
    });
    expect(await headOf(organizationId)).toMatchObject({ sequence: 4 });
  });
});

describe('a chain', () => {
  test('has no gaps and is intact after many writers at once, some of whom fail', async () => {
    const [one, other] = [crypto.randomUUID(), crypto.randomUUID()];
    const writers = Array.from({ length: 200 }, async (_, index) => {
      await append(index % 2 === 0 ? one : other, index);
      const failing = database.db.transaction(async (transaction) => {
        await audit(transaction, {
          owner: { organizationId: one },
          target: { kind: 'thing', id: 'never' },
          before: null,
          after: {},
        });
        throw new Error('the change failed');
      });
      await expect(failing).rejects.toThrow('the change failed');
    });
    await Promise.all(writers);
    expect([(await headOf(one)).sequence, (await headOf(other)).sequence]).toEqual([100, 100]);
  });

  test('is not kept locked by who stands still: such a transaction is ended', async () => {
    const timeoutOf = async (db: Database) => {
      const { rows } = await db.query<{ timeout: string }>({
        text: "select current_setting('idle_in_transaction_session_timeout') as timeout",
      });
      return rows[0]?.timeout;
    };
    const lone = openTestPool(database.runtimeUrl, 1);
    const during = await lone.transaction(async (transaction) => {
      const owned = { owner: { organizationId: crypto.randomUUID() }, target: { kind: 'thing', id: '1' } };
      await audit(transaction, { ...owned, before: null, after: {} });
      return timeoutOf(transaction);
    });
    const afterwards = await timeoutOf(lone);
    await lone.end();
    expect([during, afterwards]).toEqual(['15s', '0']);
  });

  test('is read in batches', async () => {
    const organizationId = await writeChain(0);
    await database.db.query({
      text: `insert into iam.audit_log (organization_id, actor_kind, action, target_kind, target_id, changes)
             select $1, 'system', 'x', 'x', i, '{}' from generate_series(1, $2::integer) i`,
      values: [organizationId, auditBatchMax * 2],
    });
    expect(await headOf(organizationId)).toMatchObject({ sequence: auditBatchMax * 2 });
  });
});

/** The hash of an entry as it is now: what somebody does who knows how it is made. */
const rehash = (organizationId: string, sequence: number) =>
  `update iam.audit_log l set hash = iam.audit_entry_hash(l) where organization_id = '${organizationId}' and sequence = ${sequence}`;

describe('tampering is found', () => {
  test.each([
    ["action = 'x'", 'action'],
    ["recorded_at = recorded_at + interval '1 microsecond'", 'time'],
    ["actor_kind = 'system'", 'kind of actor'],
    ['actor_id = gen_random_uuid()', 'actor'],
    ["ip = '10.0.0.1'", 'address'],
    ["ip = '127.0.0.1/24'", 'mask of the address'],
    ["request_id = 'x'", 'request'],
    ["target_kind = 'x'", 'kind of target'],
    ["target_id = 'x'", 'target'],
    ['application_id = gen_random_uuid()', 'application'],
    ["changes = '{}'", 'changes'],
    ["changes = jsonb_set(changes, '{metadata,to,number}', '3.0')", 'digits of a number'],
    ["previous_hash = sha256('x')", 'previous hash'],
    ["hash = sha256('x')", 'hash'],
  ])('%s', async (change) => {
    const organizationId = await writeChain(5);
    await tamper(`update iam.audit_log set ${change} where organization_id = '${organizationId}' and sequence = 3`);
    const verdict = await verifyAuditChain(database.db, organizationId, null);
    expect(verdict).toMatchObject({ kind: 'broken', sequence: 3, reason: 'changed' });
  });

  test('a change whose hash was made anew, at the entry after it', async () => {
    const organizationId = await writeChain(5);
    const change = `update iam.audit_log set action = 'x' where organization_id = '${organizationId}' and sequence = 3`;
    await tamper(change, rehash(organizationId, 3));
    expect(await verifyAuditChain(database.db, organizationId, null)).toMatchObject({ kind: 'broken', sequence: 4, reason: 'changed' });
  });

  test.each([1, 3])('entry %d taken out', async (sequence) => {
    const organizationId = await writeChain(5);
    await tamper(`delete from iam.audit_log where organization_id = '${organizationId}' and sequence = ${sequence}`);
    expect(await verifyAuditChain(database.db, organizationId, null)).toMatchObject({ kind: 'broken', sequence, reason: 'missing' });
  });

  test('an entry taken out and the later ones numbered anew', async () => {
    const organizationId = await writeChain(5);
    await tamper(
      `delete from iam.audit_log where organization_id = '${organizationId}' and sequence = 3`,
      `update iam.audit_log set sequence = 3 where organization_id = '${organizationId}' and sequence = 4`,
      `update iam.audit_log set sequence = 4 where organization_id = '${organizationId}' and sequence = 5`,
    );
    expect(await verifyAuditChain(database.db, organizationId, null)).toMatchObject({ kind: 'broken', sequence: 3 });
  });

  test.each([
    [2, 4],
    [4, 5],
    [1, 2],
  ])('entries %d and %d changing places', async (a, b) => {
    const organizationId = await writeChain(5);
    const renumber = (from: number, to: number) =>
      `update iam.audit_log set sequence = ${to} where organization_id = '${organizationId}' and sequence = ${from}`;
    await tamper(renumber(a, 99), renumber(b, a), renumber(99, b));
    expect(await verifyAuditChain(database.db, organizationId, null)).toMatchObject({ kind: 'broken', sequence: a, reason: 're-ordered' });
  });

  test('an entry of another organization moved into the chain', async () => {
    const [from, to] = [await writeChain(5), await writeChain(4)];
    await tamper(`update iam.audit_log set organization_id = '${to}' where organization_id = '${from}' and sequence = 5`);
    expect(await verifyAuditChain(database.db, to, null)).toMatchObject({ kind: 'broken', sequence: 5, reason: 'changed' });
  });

  test('an entry put before the first', async () => {
    const organizationId = await writeChain(2);
    await tamper(
      `insert into iam.audit_log select organization_id, 0, recorded_at, actor_kind, actor_id, ip, request_id, action, target_kind,
              target_id, application_id, changes, previous_hash, hash from iam.audit_log
       where organization_id = '${organizationId}' and sequence = 2`,
    );
    expect(await verifyAuditChain(database.db, organizationId, null)).toMatchObject({ kind: 'broken' });
  });

  test('the end cut off, by who has kept the head; nobody else can know', async () => {
    const organizationId = await writeChain(5);
    const pin = await headOf(organizationId);
    await append(organizationId, 6);
    expect(await verifyAuditChain(database.db, organizationId, pin)).toMatchObject({ kind: 'intact', head: { sequence: 6 } });
    await tamper(`delete from iam.audit_log where organization_id = '${organizationId}' and sequence >= 4`);
    expect(await verifyAuditChain(database.db, organizationId, null)).toMatchObject({ kind: 'intact', head: { sequence: 3 } });
    expect(await verifyAuditChain(database.db, organizationId, pin)).toMatchObject({ kind: 'broken', sequence: 4, reason: 'missing' });
    await append(organizationId, 4);
    await append(organizationId, 5);
    expect(await verifyAuditChain(database.db, organizationId, pin)).toMatchObject({ kind: 'broken', sequence: 5, reason: 'changed' });
  });
});

describe('the command', () => {
  const cli = fileURLToPath(new URL('../verify-audit-cli.ts', import.meta.url));

  const run = (...args: string[]) => runOn(database, ...args);

  function runOn({ runtimeUrl }: TestDatabase, ...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
    const node = ['--conditions=postrider-source', cli, ...args];
    return new Promise((resolve) => {
      execFile(process.execPath, node, { env: { DATABASE_URL: runtimeUrl } }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
      );
    });
  }

  test('prints the heads of intact chains, and the first fault of broken ones', async () => {
    const [fine, broken] = [await writeChain(3), await writeChain(3)];
    await tamper(`update iam.audit_log set action = 'x' where organization_id = '${broken}' and sequence = 2`);
    const { hash } = await headOf(fine);

    const all = await run();
    expect(all).toMatchObject({ code: 1, stderr: '' });
    expect(all.stdout).toContain(`intact  ${fine}  3:${hash}\n`);
    expect(all.stdout).toContain(`BROKEN  ${broken}  entry 2 changed: `);
    expect(await run(fine)).toEqual({ code: 0, stdout: `intact  ${fine}  3:${hash}\n`, stderr: '' });
    expect(await run(fine, `3:${hash}`)).toMatchObject({ code: 0 });
    expect(await run(fine, `4:${hash}`)).toMatchObject({ code: 1, stdout: expect.stringContaining('entry 4 missing') });
    expect(await run(broken)).toMatchObject({ code: 1 });
    const nobody = crypto.randomUUID();
    expect(await run(nobody)).toEqual({
      code: 1,
      stdout: `EMPTY   ${nobody}  no entries: none was written, or all are gone or hidden from this role\n`,
      stderr: '',
    });
  });

  test.each([['nonsense'], [installationId, 'nonsense'], [installationId, `1:${'0'.repeat(64)}`, 'more']])(
    'refuses to read %s %s %s',
    async (...args) => {
      expect(await run(...args.filter((arg) => typeof arg === 'string'))).toMatchObject({ code: 64, stdout: '' });
    },
  );

  test('a log without any entries is nothing to be content with', async () => {
    const empty = await createTestDatabase(inject('superuserUrl'));
    const verdicts = [];
    for await (const verdict of verifyAuditLog(empty.db)) {
      verdicts.push(verdict);
    }
    const answer = await runOn(empty);
    await empty.drop();
    expect(verdicts).toEqual([]);
    expect(answer).toMatchObject({ code: 1, stdout: expect.stringContaining('no entries') });
  });
});
