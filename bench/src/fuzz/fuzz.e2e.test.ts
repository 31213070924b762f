import { createTestDatabase } from '@postrider/testkit/test-database';
import { inject, onTestFinished, test } from 'vitest';
import { runFuzz } from './fuzz.ts';

test('no request, however broken, is answered with a failure of ours', async () => {
  const database = await createTestDatabase(inject('superuserUrl'));
  onTestFinished(() => database.drop());
  await runFuzz({ databaseUrl: database.runtimeUrl, requests: 500 });
});
