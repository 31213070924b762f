import { createTestDatabase } from '@postrider/testkit/test-database';
import { expect, inject, onTestFinished, test } from 'vitest';
import { runFuzz } from './fuzz.ts';

// One seed, so that a failure here is one of the change at hand; `pnpm fuzz` looks for others.
const seed = 1;

test('no request, however broken, is answered with a failure of ours or with what the document does not have', async () => {
  const database = await createTestDatabase(inject('superuserUrl'));
  onTestFinished(() => database.drop());

  const { answers, operations, neverSucceeded } = await runFuzz({ databaseUrl: database.runtimeUrl, requests: 300, seed });

  // It would prove little if nearly all of them were refused at the door.
  expect(answers['2xx']).toBeGreaterThan(60);
  expect(answers['4xx']).toBeGreaterThan(60);
  expect(neverSucceeded.length).toBeLessThan(operations / 2);
});
