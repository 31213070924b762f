import type { Logger } from 'pino';
import { Pool, type PoolClient, type PoolConfig, type QueryResult, type QueryResultRow } from 'pg';

/** A statement with its values. With a name it is prepared once per connection; without one it is planned anew for its values. */
export interface Statement {
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly unknown[];
}

/** Where a query runs: the pool, or one connection with a transaction open. */
export interface Database {
  query<Row extends QueryResultRow>(statement: Statement): Promise<QueryResult<Row>>;
  /** For hot statements: rows as arrays of what PostgreSQL sent as text, so that nothing is parsed that nobody reads. */
  queryText(statement: Statement): Promise<TextRow[]>;
}

/** A connection with a transaction open: for what must be committed together with something else, or not at all. */
export interface Transaction extends Database {
  readonly isTransaction: true;
}

/** The columns of a row in their order, as text; null where the database has null. */
export type TextRow = readonly (string | null)[];

export interface DatabaseOptions {
  readonly connectionString: string;
  readonly applicationName: string;
  readonly connectionsMax: number;
  readonly idleTimeoutMs: number;
  readonly connectionTimeoutMs: number;
  readonly statementTimeoutMs: number;
  /** False where a pooler stands between that cannot keep prepared statements. */
  readonly preparedStatements: boolean;
}

/** A database on which transactions can be opened. */
export interface DatabasePool extends Database {
  /** Runs the work on one connection inside a transaction: committed when it resolves, rolled back when it rejects. */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
}

/** The pool itself, for who opened it. */
export interface OpenPool extends DatabasePool {
  readonly pool: Pool;
  /**
   * The same connections, on which everything runs in transactions that begin with this text, also a statement by itself. The text is
   * sent as it is, in one round trip: it starts with `begin` and nothing in it comes from outside unchecked.
   */
  beginningWith(begin: string): DatabasePool;
  end(): Promise<void>;
}

/** PostgreSQL keeps the statements of a connection for as long as it lives, and some of ours are made for a day. */
const connectionLifetimeSeconds = 86_400;

/** Configuration that every connection of a process shares, pooled or not. */
export function connectionConfig(options: DatabaseOptions): PoolConfig {
  return {
    connectionString: options.connectionString,
    application_name: options.applicationName,
    connectionTimeoutMillis: options.connectionTimeoutMs,
    idleTimeoutMillis: options.idleTimeoutMs,
    keepAlive: true,
    // Measured by the client, because poolers refuse statement_timeout as a start-up parameter. A connection whose statement
    // hangs past it is closed, and its transaction with it.
    query_timeout: options.statementTimeoutMs,
  };
}

/** Opens a pool. Errors of idle connections (a restart of the database) are logged, not thrown: the pool replaces them by itself. */
export function openPool(options: DatabaseOptions, logger: Logger): OpenPool {
  const pool = new Pool({ ...connectionConfig(options), max: options.connectionsMax, maxLifetimeSeconds: connectionLifetimeSeconds });
  pool.on('error', (error) => logger.warn({ event: 'database.connection_lost', err: error }, 'an idle database connection was lost'));
  const prepare = statementPreparer(options.preparedStatements);
  return {
    pool,
    ...queriesOf(pool, prepare),
    transaction: (work) => runTransaction(pool, prepare, 'begin', work),
    beginningWith: (begin) => ({
      query: (statement) => runTransaction(pool, prepare, begin, (db) => db.query(statement)),
      queryText: (statement) => runTransaction(pool, prepare, begin, (db) => db.queryText(statement)),
      transaction: (work) => runTransaction(pool, prepare, begin, work),
    }),
    end: () => pool.end(),
  };
}

async function runTransaction<T>(pool: Pool, prepare: Prepare, begin: string, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken = true;
  client.on('error', ignoreError);
  try {
    await client.query(begin);
    const result = await work({ ...queriesOf(client, prepare), isTransaction: true });
    await client.query('commit');
    broken = false;
    return result;
  } catch (error) {
    broken = await client.query('rollback').then(
      () => false,
      () => true,
    );
    throw error;
  } finally {
    client.off('error', ignoreError);
    client.release(broken);
  }
}

/** A connection that breaks fails the statement that waits on it; unhandled, the event besides would end the process. */
function ignoreError(): void {}

const textTypes = { getTypeParser: () => (value: unknown) => value };

function queriesOf(connection: Pool | PoolClient, prepare: Prepare): Database {
  return {
    query: (statement) => connection.query(prepare(statement)),
    async queryText(statement) {
      const result = await connection.query<(string | null)[]>({ ...prepare(statement), rowMode: 'array', types: textTypes });
      const { rows } = result;
      // With a query_timeout V8 keeps the results of pg alive until a full collection; copying their rows until then costs more than all else here.
      result.rows = [];
      return rows;
    },
  };
}

type Prepare = ReturnType<typeof statementPreparer>;

/** Leaves the name away where prepared statements are switched off, and for statements that are planned anew each time. */
function statementPreparer(preparedStatements: boolean) {
  return (statement: Statement): { name?: string; text: string; values: unknown[] } => {
    const values = [...(statement.values ?? [])];
    return preparedStatements && statement.name !== undefined
      ? { name: statement.name, text: statement.text, values }
      : { text: statement.text, values };
  };
}

/** The only row of a statement that always returns one. */
export function onlyRow<Row>(result: { readonly rows: readonly Row[] }): Row {
  const [row] = result.rows;
  if (row === undefined) {
    throw new Error('A statement that returns one row returned none.');
  }
  return row;
}
