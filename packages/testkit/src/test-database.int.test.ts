import { expect, inject, test } from 'vitest';
import { insertApplication } from './factories.ts';
import { createTestDatabase } from './test-database.ts';

test('databases are migrated and strangers to each other', async () => {
  const [first, second] = await Promise.all([createTestDatabase(inject('superuserUrl')), createTestDatabase(inject('superuserUrl'))]);

  await insertApplication(first.db);

  const count = { text: 'select count(*)::integer as n from event.application' };
  expect((await first.admin.query(count)).rows).toEqual([{ n: 1 }]);
  expect((await second.admin.query(count)).rows).toEqual([{ n: 0 }]);
  await Promise.all([first.drop(), second.drop()]);
});

test('the roles of the product read and write rows, and change no tables', async () => {
  const database = await createTestDatabase(inject('superuserUrl'));
  const who = { text: 'select current_user as name' };
  expect((await database.db.query(who)).rows).toEqual([{ name: 'postrider_app' }]);
  await expect(database.db.query({ text: 'drop table event.application cascade' })).rejects.toMatchObject({ code: '42501' });
  await database.drop();
});

test('a dropped database is gone', async () => {
  const { name, drop } = await createTestDatabase(inject('superuserUrl'));
  const other = await createTestDatabase(inject('superuserUrl'));
  const exists = { text: 'select from pg_database where datname = $1', values: [name] };
  expect((await other.admin.query(exists)).rows).toHaveLength(1);
  await drop();
  expect((await other.admin.query(exists)).rows).toHaveLength(0);
  await other.drop();
});
