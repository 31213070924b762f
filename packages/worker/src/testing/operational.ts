import { claimRequestAttempts } from '@postrider/shared/database/queries/claim-request-attempts';
import { registerWorkerProcess } from '@postrider/shared/database/queries/register-worker-process';
import { newId } from '@postrider/shared/domain/ids';
import {
  insertApplication,
  insertBacklog,
  insertSubscription,
  type TestApplication,
  type TestSubscription,
} from '@postrider/testkit/factories';
import { createTestDatabase, type TestDatabase } from '@postrider/testkit/test-database';
import { inject } from 'vitest';
import { createOperationalEvents, type OperationalEvents } from '../operational-events.ts';
import { recordOfOutcome } from '../outcome-record.ts';
import type { RecordedOutcome } from '../recorder.ts';

/** A database with an operator's application and a tenant's, whose subscription operators hear of. */
export interface OperationalSetup {
  readonly database: TestDatabase;
  readonly operator: TestApplication;
  readonly tenant: TestApplication;
  readonly subscription: TestSubscription;
  /** What was reported and announced. */
  readonly heard: { ingested: number; repeated: number; failed: number; causes: unknown[]; announced: number[] };
}

export async function setUpOperational(): Promise<OperationalSetup> {
  const database = await createTestDatabase(inject('superuserUrl'));
  const operator = await insertApplication(database.admin);
  const tenant = await insertApplication(database.admin);
  const subscription = await insertSubscription(database.admin, tenant, { url: 'https://hooks.example.com/in?token=s3cret' });
  return { database, operator, tenant, subscription, heard: { ingested: 0, repeated: 0, failed: 0, causes: [], announced: [] } };
}

/** Operational events of the operator's application, or of another. */
export function givenEvents(
  { operator, heard }: OperationalSetup,
  { applicationId = operator.applicationId, statementMs = 5000 }: { applicationId?: string | null; statementMs?: number } = {},
): OperationalEvents {
  return createOperationalEvents({
    applicationId,
    notifier: { notify: (pools) => void heard.announced.push(...pools) },
    report: {
      ingested: (count) => void (heard.ingested += count),
      repeated: (count) => void (heard.repeated += count),
      failed({ count, cause }) {
        heard.failed += count;
        heard.causes.push(cause);
      },
    },
    statementMs,
  });
}

/** Attempts of a subscription whose retries are used up, leased and ready to be recorded. */
export async function givenExhausted(
  { db, admin }: TestDatabase,
  application: TestApplication,
  subscription: TestSubscription,
  count = 1,
): Promise<RecordedOutcome[]> {
  await insertBacklog(admin, application, subscription, { count, payloadBytes: 64 });
  await admin.query({ text: 'update webhook.open_attempt set retry_count = 3' });
  const leaseId = newId();
  const workerProcessId = await registerWorkerProcess(db, { name: 'test', version: '0', retriesMax: 3 });
  const claim = { poolId: 0, lane: 0, leaseId, leaseMs: 60_000, limit: count, workerProcessId, dueFromMicros: 0 };
  const { attempts } = await claimRequestAttempts(db, claim);
  const response = { httpCode: 500, headers: {}, body: Buffer.alloc(0), bodyTruncated: false };
  return attempts.map((attempt) =>
    recordOfOutcome(
      { ...attempt, leaseId, isParked: false, startBeforeMs: 0 },
      { kind: 'response', response, elapsedMs: 1, retryAfterMs: null },
      { kind: 'give_up', reason: 'retries_exhausted' },
    ),
  );
}

/** The events of the operator's application. */
export async function operationalEventsOf({ database, operator }: OperationalSetup) {
  const { rows } = await database.admin.query<{ event_type_name: string; labels: unknown; payload: Buffer }>({
    text: 'select event_type_name, labels, payload from event.event where application_id = $1 order by event_type_name, event_id',
    values: [operator.applicationId],
  });
  return rows.map(({ payload, ...row }) => {
    const read: unknown = JSON.parse(payload.toString());
    return { ...row, payload: read };
  });
}

/** How many rows a statement returns. */
export async function countRows({ admin }: TestDatabase, text: string, values: readonly unknown[] = []): Promise<number> {
  const { rowCount } = await admin.query({ text, values });
  return rowCount ?? 0;
}
