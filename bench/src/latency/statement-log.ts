import { readFileSync } from 'node:fs';

/** For the server whose log is read: the time in milliseconds since 1970, the process and who it works for. */
export const statementLogPrefix = '%n %p [%a] ';

/** A statement that a worker executed. */
export interface LoggedStatement {
  readonly atMs: number;
  /** The name of a prepared statement; null for others. */
  readonly name: string | null;
  /** Of a claim: the number of the worker process that claimed. */
  readonly workerProcessId: number | null;
}

const linePattern = /^(\d+\.\d+) (\d+) \[postrider worker\] (LOG|DETAIL): {2}(.*)/;
/** Claims have a statement for each day. */
const claim = /^claim_request_attempts_[\d-]+$/;

/** The statements of workers in the server's log (`log_statement = all`), in order. Those of several lines tell their first only. */
export function readStatements(logFile: string): LoggedStatement[] {
  const statements: { atMs: number; name: string | null; workerProcessId: number | null }[] = [];
  const claiming = new Map<string, (typeof statements)[number]>();
  for (const line of readFileSync(logFile, 'utf8').split('\n')) {
    const [, seconds = '', pid = '', kind, text = ''] = linePattern.exec(line) ?? [];
    const [, , name = null] = /^(statement|execute)\s?([\w-]+)?:/.exec(text) ?? [];
    if (kind === 'LOG' && /^(statement|execute)/.test(text)) {
      const statement = { atMs: Number(seconds) * 1000, name: name === '<unnamed>' ? null : name, workerProcessId: null };
      statements.push(statement);
      if (name !== null && claim.test(name)) {
        claiming.set(pid, statement);
      }
    }
    const claimed = kind === 'DETAIL' ? claiming.get(pid) : undefined;
    if (claimed) {
      claimed.workerProcessId = Number(/\$7 = '(\d+)'/.exec(text)?.[1]);
      claiming.delete(pid);
    }
  }
  return statements;
}

/** Whether a statement looks for attempts to deliver. */
export function isClaim(statement: LoggedStatement): boolean {
  return statement.name !== null && claim.test(statement.name);
}
