import type { Transaction } from './pool.ts';

/**
 * Does a part of a transaction whose failure leaves the rest as it was: when the work rejects, what it did is undone and the transaction goes
 * on. Each of its statements ends after `statementMs`, on the server, so that not even a lock that is never let go breaks the connection.
 */
export async function withinSavepoint<T>(transaction: Transaction, statementMs: number, work: () => Promise<T>): Promise<T> {
  await transaction.query({ text: 'savepoint part' });
  try {
    await transaction.query({ text: "select set_config('statement_timeout', $1, true)", values: [`${Math.ceil(statementMs)}ms`] });
    const result = await work();
    await transaction.query({ text: 'set local statement_timeout to default' });
    await transaction.query({ text: 'release savepoint part' });
    return result;
  } catch (error) {
    // Takes the limit back, too. Fails when the connection is gone, and the transaction with it.
    await transaction.query({ text: 'rollback to savepoint part' });
    throw error;
  }
}
