import { insertApplication, insertSubscription, type TestApplication, type TestSubscription } from '@postrider/testkit/factories';
import { slotsForOneSubscription, startWorker, type WorkerProcess } from '@postrider/testkit/postrider-processes';
import type { TestDatabase } from '@postrider/testkit/test-database';
import { type Arrival, type ArrivalReceiver, startArrivalReceiver } from '../arrivals/start-arrival-receiver.ts';
import type { BenchServer } from '../bench-database.ts';
import type { Defer } from '../clean-up.ts';

/** Two workers, a receiver that takes its time, and a subscription. */
export interface RecoveryStage {
  readonly server: BenchServer;
  readonly database: TestDatabase;
  readonly receiver: ArrivalReceiver;
  readonly workers: readonly [WorkerProcess, WorkerProcess];
  readonly application: TestApplication;
  readonly subscription: TestSubscription;
}

/** The shortest lease that a timeout of a second allows. */
export const recoveryLeaseMs = 11_000;
export const recoverySlots = 50;
/** Of the receiver, so that there is always something in flight: two workers deliver a thousand a second at most. */
export const receiverDelayMs = 100;

export async function setStage(server: BenchServer, defer: Defer): Promise<RecoveryStage> {
  const database = await server.createDatabase();
  defer(() => database.drop());
  const receiver = await startArrivalReceiver({ delayMs: receiverDelayMs });
  defer(() => receiver.stop());
  const application = await insertApplication(database.admin);
  const subscription = await insertSubscription(database.admin, application, { url: receiver.url });
  const start = async (): Promise<WorkerProcess> => {
    const worker = await startWorker({
      databaseUrl: database.runtimeUrl,
      args: [...slotsForOneSubscription(recoverySlots), '--timeout=1s', '--connect-timeout=1s', `--lease=${recoveryLeaseMs}ms`],
    });
    defer(async () => {
      worker.kill('SIGKILL');
      await worker.waitForExit();
    });
    return worker;
  };
  return { server, database, receiver, application, subscription, workers: [await start(), await start()] };
}

/** How many requests arrived beyond the first of their attempt. */
export function countSecondDeliveries(arrivals: readonly Arrival[]): number {
  return arrivals.length - new Set(arrivals.map(({ requestAttemptId }) => requestAttemptId)).size;
}

/** Resolves when nothing is queued any more. */
export async function isQueueEmpty(database: TestDatabase): Promise<boolean> {
  const { rowCount } = await database.admin.query({ text: 'select from webhook.open_attempt limit 1' });
  return rowCount === 0;
}
